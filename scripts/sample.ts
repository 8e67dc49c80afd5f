import { join } from "node:path";
import { type LineProcess, startLineProcess } from "./line-process";
import { temporaryDirectory } from "./temporary";

export interface SampleDriver extends LineProcess {
  readonly name: string;
  readonly socketPath: string;
}

/** Starts the sample driver, and returns once it listens. Dispose of it to kill it and to remove its socket. */
export async function startSampleDriver(): Promise<SampleDriver> {
  const name = "sample.csi.example";
  const directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  const program = join(import.meta.dirname, "sample-driver.ts");
  const driver = startLineProcess([process.execPath, program, socketPath, name], { read: "stdout" });
  const dispose = async (): Promise<void> => {
    await driver[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  };
  try {
    await driver.waitFor(/^listening$/);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...driver, name, socketPath, [Symbol.asyncDispose]: dispose };
}

/** A sidecar; its lines are its log. */
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
  const sidecar = startLineProcess([...command, ...flags], { read: "stderr", env });
  try {
    const [, address] = await sidecar.waitFor(/"Listening".* address="([^"]+)"/);
    await sidecar.waitFor(/CSI driver name/);
    const url = `http://${address}`;
    return { ...sidecar, url, get: (path) => fetch(url + path) };
  } catch (error) {
    await sidecar[Symbol.asyncDispose]();
    throw error;
  }
}
