import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A Bun macro: what `browser/refresh.ts` is as JavaScript, made when the executable is built. */
export function compileScript(): string {
  const source = readFileSync(join(import.meta.dir, "browser/refresh.ts"), "utf8");
  return new Bun.Transpiler({ loader: "ts", target: "browser", minifyWhitespace: true }).transformSync(source);
}
