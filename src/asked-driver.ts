import type { Scene } from "./diagnosis";
import type { SocketFile } from "./socket-file";

/** A driver that is asked by a person, and how it is asked. */
export interface AskedDriver {
  /** What connect(2) gets. */
  readonly connectPath: string;
  /** What messages name: the path as the kubelet knows it. */
  readonly socketPath: string;
  /** For connecting and Identity/Probe, as the sidecar's `--probe-timeout`. */
  readonly probeTimeoutMs: number;
  readonly userAgent: string;
  /** Our own effective user id. */
  readonly uid: number;
  readonly lookAtSocketFile: (path: string) => SocketFile;
}

/** What was tried, for a diagnosis. */
export function sceneOf(driver: AskedDriver, elapsedMs: number, rpcName: string): Scene {
  const { socketPath, connectPath, uid } = driver;
  return { socketPath, rpcName, uid, elapsedMs, socketFile: () => driver.lookAtSocketFile(connectPath) };
}
