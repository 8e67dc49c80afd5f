import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { temporaryDirectory } from "../temporary";
import { readSourceDateEpoch } from "../commit";
import { compileExecutables } from "../executable";
import type { Entry } from "./apk";
import type { DebianArchitecture } from "./lock";
import { licenceNotices } from "./notices";
import { livenessprobe } from "./packages";
import { bunRuntime } from "./runtimes";

const USAGE = "bun scripts/image/stage.ts --architecture amd64|arm64 --out DIRECTORY";

/**
 * Lays our own files out in a directory as they lie in the image, for a build that takes glibc from elsewhere: the
 * Dockerfile's. They are the files of the package `livenessprobe`, but for its SBOM, which is of that package.
 */
async function stage(): Promise<void> {
  const { values: flags } = parseArgs({ options: { architecture: { type: "string" }, out: { type: "string" } } });
  const { architecture, out } = flags;
  if (out === undefined || !isArchitecture(architecture))
    throw new Error(`What to lay out, or where, is not said: ${USAGE}`);
  using scratch = temporaryDirectory();
  // Of the same name as in the image, which becomes part of it.
  const executable = join(scratch.path, "livenessprobe");
  await compileExecutables([{ path: executable, runtime: await bunRuntime(architecture) }]);
  const directory = resolve(out);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { entries } = livenessprobe(executable, await licenceNotices(), await readSourceDateEpoch());
  for (const entry of entries) layOut(entry, directory);
  console.log(`Laid out ${entries.length} files for ${architecture} in ${directory}`);
}

function isArchitecture(name: string | undefined): name is DebianArchitecture {
  return name === "amd64" || name === "arm64";
}

function layOut(entry: Entry, directory: string): void {
  const path = join(directory, entry.path);
  mkdirSync(dirname(path), { recursive: true });
  switch (entry.kind) {
    case "file":
      copyFileSync(entry.source, path);
      return chmodSync(path, entry.mode ?? 0o644);
    case "text":
      return writeFileSync(path, entry.text, { mode: 0o644 });
    case "directory":
      return void mkdirSync(path, { recursive: true, mode: entry.mode ?? 0o755 });
    case "link":
      return symlinkSync(entry.target, path);
  }
  return entry satisfies never;
}

try {
  await stage();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
