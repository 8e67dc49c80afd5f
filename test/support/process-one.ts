import { readFileSync } from "node:fs";
import { EXECUTABLE } from "./executable";
import { type Sidecar, startSidecar } from "./sidecar";
import { waitUntil } from "./wait";

/** The words before a command that make it process 1 of a pid namespace of its own, as in a container. */
export type Unshare = readonly [command: string, ...flags: string[]];

// Killing unshare(1) must not leave the sidecar behind.
const FLAGS = ["--pid", "--fork", "--mount-proc", "--kill-child"] as const;

/**
 * How a process may become process 1 here: as root, or as root of a user namespace; undefined, with a visible line,
 * where neither is permitted.
 */
export function findUnshare(): Unshare | undefined {
  const ways: Unshare[] = [
    ["unshare", ...FLAGS],
    ["unshare", "--user", "--map-root-user", ...FLAGS],
  ];
  const found = ways.find(isPermitted);
  if (found === undefined)
    console.warn("The tests as process 1 are skipped: unshare(1) may make no pid namespace here.");
  return found;
}

/** Starts the sidecar as process 1; signals go to it, and the exit code that unshare(1) passes on is its own. */
export async function startAsProcessOne([command, ...flags]: Unshare, args: readonly string[]): Promise<Sidecar> {
  const executable = Bun.which(command) ?? command;
  const outer = await startSidecar([...flags, "--", EXECUTABLE, ...args], { executable });
  const children = `/proc/${outer.pid}/task/${outer.pid}/children`;
  const inner = await waitUntil(() => Number(readFileSync(children, "utf8").trim()), "the process's child");
  return { ...outer, signal: (signal) => process.kill(inner, signal) };
}

function isPermitted([command, ...flags]: Unshare): boolean {
  const path = Bun.which(command);
  return path !== null && Bun.spawnSync([path, ...flags, "--", "true"]).exitCode === 0;
}
