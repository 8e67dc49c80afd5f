import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { temporaryDirectory } from "../temporary";
import { type Values, progress, runCommand } from "../command";
import { readSourceDateEpoch } from "../commit";
import { compileExecutables } from "../executable";
import type { Entry } from "./apk";
import type { DebianArchitecture } from "./inputs/lock";
import { licenceNotices } from "./contents/notices";
import { livenessprobe } from "./packages";
import { bunRuntime } from "./inputs/npm";

const FLAGS = {
  architecture: { value: "amd64|arm64", required: true, help: "The architecture of the image." },
  out: { value: "DIRECTORY", required: true, help: "Where the files go. It is emptied first." },
} as const;

async function stage({ architecture, out }: Values<typeof FLAGS>): Promise<void> {
  if (!isArchitecture(architecture)) throw new Error(`--architecture must be amd64 or arm64, got ${architecture}`);
  using scratch = temporaryDirectory();
  // The executable contains its name, so it is the same as in the image.
  const executable = join(scratch.path, "livenessprobe");
  progress(`Compiling the executable for ${architecture}`);
  await compileExecutables([{ path: executable, runtime: await bunRuntime(architecture) }]);
  const directory = resolve(out);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { entries } = livenessprobe(executable, await licenceNotices(), await readSourceDateEpoch());
  for (const entry of entries) layOut(entry, directory);
  console.log(`Laid out ${entries.length} files for ${architecture} in ${directory}`);
}

function isArchitecture(name: string): name is DebianArchitecture {
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

await runCommand({
  name: "bun scripts/image/stage.ts",
  about: `Lays our own files out in a directory as they lie in the image, for a build that takes glibc from elsewhere:
    the Dockerfile's. They are the files of the package livenessprobe, but for its SBOM, which is of that package.`,
  flags: FLAGS,
  run: stage,
});
