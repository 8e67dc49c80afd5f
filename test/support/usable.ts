/**
 * Whether a command succeeds here: for tests that need a right, or a tool, which not every machine gives.
 * Says so in a line where it does not.
 *
 * @param what what cannot be tested without it
 * @throws with CI=true, where it fails
 */
export function usable(what: string, command: readonly string[]): boolean {
  const found = Bun.which(command[0] ?? "") !== null;
  if (found && Bun.spawnSync([...command], { stdout: "ignore", stderr: "ignore" }).exitCode === 0) return true;
  const line = `The tests of ${what} are skipped: ${command[0]} ${found ? "may not do its work here" : "is missing"}.`;
  if (process.env["CI"] === "true") throw new Error(`${line} With CI=true none may be.`);
  console.warn(line);
  return false;
}
