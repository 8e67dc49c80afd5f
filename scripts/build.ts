import { $ } from "bun";
import { mkdir } from "node:fs/promises";
import packageJson from "../package.json" with { type: "json" };

/**
 * Builds `dist/livenessprobe`: one executable, the same bytes from the same commit in any directory.
 *
 * Run by the pinned Bun alone, for it is what gets compiled in.
 */
async function build(): Promise<void> {
  const pinned = packageJson.devDependencies.bun;
  if (Bun.version !== pinned) {
    throw new Error(
      `this build needs Bun ${pinned}, and it is ${Bun.version} that runs: npx --yes bun@${pinned} run build`,
    );
  }
  process.chdir(`${import.meta.dir}/..`);
  await mkdir("dist", { recursive: true });
  const commit = (await $`git rev-parse HEAD`.quiet().nothrow().text()).trim() || "unknown";
  await $`${process.execPath} build src/main.ts ${flags({ BUILD_VERSION: packageJson.version, BUILD_COMMIT: commit })}`;
}

function flags(constants: Readonly<Record<string, string>>): readonly string[] {
  return [
    "--compile",
    "--outfile=dist/livenessprobe",
    "--bytecode",
    "--format=cjs",
    // Nothing in the working directory of a pod may change what the program does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    // grpc-js mentions these, and the builder's directory would become part of the executable.
    '--define=__dirname="/"',
    '--define=__filename="/"',
    ...Object.entries(constants).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`),
  ];
}

await build();
