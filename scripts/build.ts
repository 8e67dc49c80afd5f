import { $ } from "bun";
import { mkdir, stat } from "node:fs/promises";
import packageJson from "../package.json" with { type: "json" };

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
  const built = await $`${process.execPath} build src/main.ts ${flags({
    BUILD_VERSION: packageJson.version,
    BUILD_COMMIT: commit,
  })}`
    .quiet()
    .nothrow();
  if (built.exitCode !== 0) {
    console.error(built.stderr.toString().trim());
    return 1;
  }
  const { size } = await stat(OUTFILE);
  const took = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const what = `${OUTFILE} ${packageJson.version} (commit ${commit}, Bun ${pinned})`;
  console.log(`Built ${what}: ${(size / 2 ** 20).toFixed(1)} MiB in ${took} s`);
  return 0;
}

const OUTFILE = "dist/livenessprobe";

/** The commit, with `-dirty` behind it where the files are not all as the commit has them; `unknown` without git. */
async function readCommit(): Promise<string> {
  const commit = (await $`git rev-parse HEAD`.quiet().nothrow().text()).trim();
  if (commit === "") return "unknown";
  const changes = await $`git status --porcelain`.quiet().nothrow().text();
  return changes === "" ? commit : `${commit}-dirty`;
}

function flags(constants: Readonly<Record<string, string>>): readonly string[] {
  return [
    "--compile",
    `--outfile=${OUTFILE}`,
    "--bytecode",
    "--format=cjs",
    // No JIT: a probe's time goes into system calls, and the JIT's code took 10 MiB after 2,000 probes for 5 % of the CPU.
    "--compile-jit-policy=1000000",
    // Nothing in the working directory of a pod may change what the program does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    // A dependency that mentions these, as parts of grpc-js do, would make the builder's directory part of the executable.
    '--define=__dirname="/"',
    '--define=__filename="/"',
    ...Object.entries(constants).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`),
  ];
}

process.exitCode = await build();
