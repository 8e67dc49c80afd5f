import { join } from "node:path";
import { buildGoDriver } from "../test/support/driver-builds";
import type { DriverMode } from "../test/support/driver-protocol";
import { waitUntil } from "../test/support/wait";
import type { Cleanup } from "./cleanup";

/** A driver that answers ready. What it tells of each probe goes nowhere, so that nobody needs time to read it. */
export interface ReadyDriver extends Disposable {
  /** The gRPC implementation it is written with. */
  readonly implementation: string;
}

/**
 * Starts the tests' driver on grpc-go, since nearly every driver is; without Go the one on grpc-js.
 *
 * @param mode `slow 100` is ready after 100 ms
 */
export async function startReadyDriver(
  socketPath: string,
  cleanup: Cleanup,
  mode: DriverMode = "ready",
): Promise<ReadyDriver> {
  const built = await buildGoDriver();
  const command =
    built.kind === "built"
      ? built.program.command
      : [process.execPath, join(import.meta.dirname, "../test/support/grpcjs-driver.ts")];
  const child = Bun.spawn([...command, "--socket", socketPath, "--name", "bench.csi.test", "--mode", mode], {
    // It ends when its standard input does, which is when this process ends.
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  const kill = cleanup.add(() => child.kill("SIGKILL"));
  await waitUntil(() => accepts(socketPath), `a driver on ${socketPath}`);
  return { implementation: built.kind === "built" ? "grpc-go" : "grpc-js", [Symbol.dispose]: kill[Symbol.dispose] };
}

async function accepts(unix: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
