import { $ } from "bun";
import { mkdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { temporaryDirectory } from "../test/support/temporary";
import { COMPILE_FLAGS } from "./compile-flags";
import { recordOrder } from "./record-order";

/**
 * Builds `dist/livenessprobe`: one executable, the same bytes from the same commit in any directory.
 *
 * Run by the pinned Bun alone, for it is what gets compiled in.
 *
 * @returns the exit code
 */
async function build(): Promise<number> {
  const pinned = packageJson.devDependencies.bun;
  if (Bun.version !== pinned) {
    console.error(`This build needs Bun ${pinned}, got ${Bun.version}: run npx --yes bun@${pinned} run build`);
    return 1;
  }
  process.chdir(`${import.meta.dir}/..`);
  const startedMs = performance.now();
  const commit = await readCommit();
  await mkdir("dist", { recursive: true });
  using directory = temporaryDirectory();
  const constants = flags({ BUILD_VERSION: packageJson.version, BUILD_COMMIT: commit });
  // Of the same name as the executable, which becomes part of it.
  const recorder = join(directory.path, basename(OUTFILE));
  const orderFile = join(directory.path, "bytecode.order");
  if (!(await compile([...constants, `--outfile=${recorder}`]))) return 1;
  await recordOrder(recorder, orderFile);
  if (!(await compile([...constants, `--outfile=${OUTFILE}`, `--bytecode-order=${orderFile}`]))) return 1;
  const { size } = await stat(OUTFILE);
  const took = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const what = `${OUTFILE} ${packageJson.version} (commit ${commit}, Bun ${pinned})`;
  console.log(`Built ${what}: ${(size / 2 ** 20).toFixed(1)} MiB in ${took} s`);
  return 0;
}

const OUTFILE = "dist/livenessprobe";

async function compile(options: readonly string[]): Promise<boolean> {
  const built = await $`${process.execPath} build src/main.ts ${options}`.quiet().nothrow();
  if (built.exitCode !== 0) console.error(built.stderr.toString().trim());
  return built.exitCode === 0;
}

/** The commit, with `-dirty` behind it where the files are not all as the commit has them; `unknown` without git. */
async function readCommit(): Promise<string> {
  const commit = (await $`git rev-parse HEAD`.quiet().nothrow().text()).trim();
  if (commit === "") return "unknown";
  const changes = await $`git status --porcelain`.quiet().nothrow().text();
  return changes === "" ? commit : `${commit}-dirty`;
}

function flags(constants: Readonly<Record<string, string>>): readonly string[] {
  const defines = Object.entries(constants).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`);
  return [...COMPILE_FLAGS, ...defines];
}

process.exitCode = await build();
