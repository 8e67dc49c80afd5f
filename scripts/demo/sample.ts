import { join } from "node:path";
import { type LineProcess, startLineProcess } from "../line-process";
import { temporaryDirectory } from "../temporary";

export interface SampleDriver extends LineProcess {
  readonly name: string;
  readonly socketPath: string;
}

/**
 * Starts the sample driver, and returns once it listens. Dispose of it to kill it.
 *
 * @param directoryPath where it makes its socket; without it a fresh directory, removed with it
 */
export async function startSampleDriver(name = "sample.csi.example", directoryPath?: string): Promise<SampleDriver> {
  const directory = directoryPath === undefined ? temporaryDirectory() : undefined;
  const socketPath = join(directoryPath ?? directory?.path ?? "", "csi.sock");
  const program = join(import.meta.dirname, "sample-driver.ts");
  const driver = startLineProcess([process.execPath, program, socketPath, name], { read: "stdout" });
  const dispose = async (): Promise<void> => {
    await driver[Symbol.asyncDispose]();
    directory?.[Symbol.dispose]();
  };
  try {
    await driver.waitFor(/^listening$/);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...driver, name, socketPath, [Symbol.asyncDispose]: dispose };
}

/** A process of ours that serves HTTP; its lines are its log. */
export interface SampleSidecar extends LineProcess {
  /** Without a slash at its end. */
  readonly url: string;
  get(path: string): Promise<Response>;
}

/**
 * Starts the sidecar, and returns once it knows its driver's name. Dispose of it to kill it.
 *
 * @param command the executable, behind the words that start it, if any
 * @param flags with port 0 in `--http-endpoint`
 * @param env all of its environment
 */
export async function startSampleSidecar(
  command: readonly string[],
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<SampleSidecar> {
  const sidecar = await startServer([...command, ...flags], env);
  try {
    await sidecar.waitFor(/CSI driver name/);
    return sidecar;
  } catch (error) {
    await sidecar[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts `serve` or `monitor`, and returns once it listens. Dispose of it to kill it. */
export async function startServer(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const server = startLineProcess(command, { read: "stderr", env });
  try {
    const [, address] = await server.waitFor(/"Listening".* address="([^"]+)"/);
    const url = `http://${address}`;
    return { ...server, url, get: (path: string) => fetch(url + path) } satisfies SampleSidecar;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
