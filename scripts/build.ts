import { stat } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { runCommand } from "./command";
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

await runCommand({
  name: "bun run build",
  about: "Builds dist/livenessprobe for this machine, in some seconds.",
  flags: {},
  run: build,
});
