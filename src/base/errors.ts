import { inspect } from "node:util";

/** The flags can be read, but a value is not valid. The message is one line: the flag, the rule, the value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode = 1;
}

/** The `code` of an error of Node.js or Bun, such as `ENOENT`, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The text of what was thrown: an error's message, else its code or name; anything else as it prints. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message || (errorCode(error) ?? error.name);
  return typeof error === "string" ? error : inspect(error, { breakLength: Infinity });
}

/** What a call returns; undefined if it throws, for whatever reason. */
export function attempt<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
