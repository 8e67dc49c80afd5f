import { copyFileSync } from "node:fs";
import { join } from "node:path";

/** The built executable. */
export const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");

/**
 * Copies the executable into a directory, for another uid to run it: the checkout may lie where that uid cannot go.
 *
 * @returns its path
 */
export function copyExecutable(directory: string): string {
  const path = join(directory, "livenessprobe");
  copyFileSync(EXECUTABLE, path);
  return path;
}

/**
 * Arguments and options for `startSidecar` that run shell `commands` in the sidecar's own process before it becomes the
 * executable: what a test sets there (limits, closed descriptors) is inherited.
 */
export function behindShell(commands: string, args: readonly string[], executable = EXECUTABLE) {
  return [["-c", `${commands}; exec "$0" "$@"`, executable, ...args], { executable: "/bin/sh" }] as const;
}
