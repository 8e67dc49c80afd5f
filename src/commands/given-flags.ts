import type { Flag } from "../cli/flags";

/** The flags that citty was given: it has each also under a camel-cased name, and its positional words under `_`. */
export function givenFlags(
  args: Readonly<Record<string, unknown>>,
  flags: readonly Flag[],
): Readonly<Record<string, string>> {
  const given = flags.map(({ name }) => [name, args[name]] as const);
  return Object.fromEntries(given.filter((entry): entry is readonly [string, string] => typeof entry[1] === "string"));
}
