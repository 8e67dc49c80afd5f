import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TARGETS } from "../../fuzz/targets";

test("docs/reliability.md has a row for each target, in their order", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/reliability.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\|/gm)].map(([, name, against]) => [name, against]);
  expect(rows).toEqual(TARGETS.map(({ name, against }) => [name, against]));
});
