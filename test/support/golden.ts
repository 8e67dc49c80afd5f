import { readFileSync, writeFileSync } from "node:fs";

/**
 * The text of a golden file. With UPDATE_GOLDEN in the environment it is first made `text`: look at the difference
 * before it goes in.
 */
export function golden(file: URL, text: string): string {
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(file, text);
  return readFileSync(file, "utf8");
}
