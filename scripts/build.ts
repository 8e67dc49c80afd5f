import { stat } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { readCommit } from "./commit";
import { compileExecutables } from "./executable";

const OUTFILE = "dist/livenessprobe";

/** Builds `dist/livenessprobe` for this machine. */
async function build(): Promise<void> {
  const startedMs = performance.now();
  const path = join(import.meta.dirname, "..", OUTFILE);
  await compileExecutables([{ path }]);
  const { size } = await stat(path);
  const took = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const what = `${OUTFILE} ${packageJson.version} (commit ${await readCommit()}, Bun ${Bun.version})`;
  console.log(`Built ${what}: ${(size / 2 ** 20).toFixed(1)} MiB in ${took} s`);
}

try {
  await build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
