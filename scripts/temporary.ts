import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

export interface TemporaryDirectory {
  readonly path: string;
  [Symbol.dispose](): void;
}

/**
 * A fresh directory, removed with all it holds when disposed of.
 *
 * In /tmp whatever TMPDIR says: a socket's path has at most 107 bytes (unix(7)). Anyone may enter it, so that a
 * sidecar under another uid is stopped by the mode of the socket and by nothing before it.
 */
export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join("/tmp", "clp-"));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
