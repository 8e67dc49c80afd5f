import { inspect } from "node:util";

/** The flags can be read but cannot work, alone or together. The message is one line: the flag, the rule, the value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode = 1;
}

/** The `code` of an error as Node.js and Bun make them, such as `ENOENT`; undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What was thrown, in words: an error's message, or its code or name where the message is empty; anything else as it prints. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message || (errorCode(error) ?? error.name);
  return typeof error === "string" ? error : inspect(error, { breakLength: Infinity });
}
