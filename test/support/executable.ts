import { join } from "node:path";

/** The built executable. */
export const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");

/**
 * Arguments and options for `startSidecar` that run shell `commands` in the sidecar's own process before it becomes the
 * executable: what a test sets there (limits, closed descriptors) is inherited.
 */
export function behindShell(commands: string, args: readonly string[], executable = EXECUTABLE) {
  return [["-c", `${commands}; exec "$0" "$@"`, executable, ...args], { executable: "/bin/sh" }] as const;
}
