import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { temporaryDirectory, type TemporaryDirectory } from "../scripts/temporary";
import { usable } from "./support/usable";
import { cloneWorkingTree } from "./support/working-tree";

const ROOT = join(import.meta.dir, "..");
const BUILD_BOUND_MS = 120_000;
const hasGit = usable("the build from two clones", ["git", "-C", ROOT, "rev-parse", "HEAD"]);

let directory: TemporaryDirectory;
let commit = "";

beforeAll(() => {
  directory = temporaryDirectory();
  if (!hasGit) return;
  commit = cloneWorkingTree(place("one"));
  run(["git", "clone", "--quiet", place("one"), place("a longer path/two")]);
  for (const clone of CLONES) copyModules(place(clone));
}, BUILD_BOUND_MS);
afterAll(() => directory[Symbol.dispose]());

const CLONES = ["one", "a longer path/two"] as const;

describe.if(hasGit)("two clones in different directories", () => {
  test(
    "give the same bytes, with no path of the builder in them, and with fewer descriptors for the second",
    () => {
      const said = CLONES.map((clone, at) => build(place(clone), at === 0 ? [] : FEW_DESCRIPTORS));
      const [one, two] = CLONES.map((clone) => readFileSync(join(place(clone), "dist/livenessprobe")));
      expect(Bun.SHA256.hash(one ?? "none", "hex")).toBe(Bun.SHA256.hash(two ?? "neither", "hex"));
      expect([directory.path, ROOT].filter((path) => one?.includes(`${path}/`))).toEqual([]);
      const what = `dist/livenessprobe ${packageJson.version} (commit ${commit}, Bun ${packageJson.devDependencies.bun})`;
      for (const { code, stdout, stderr } of said) {
        expect([code, stderr]).toEqual([0, ""]);
        expect(stdout.replace(/: \d+\.\d MiB in \d+\.\d s\n$/, "")).toBe(`Built ${what}`);
      }
    },
    BUILD_BOUND_MS,
  );

  test(
    "are told from a third whose files are not those of the commit",
    () => {
      const clone = place("one");
      writeFileSync(join(clone, "stray.ts"), "");
      expect(build(clone).stdout).toContain(`commit ${commit}-dirty,`);
      expect(run([join(clone, "dist/livenessprobe"), "--version"]).stdout).toContain(`(commit ${commit}-dirty,`);
      rmSync(join(clone, "stray.ts"));
    },
    BUILD_BOUND_MS,
  );
});

test(
  "where git cannot tell, the commit is unknown",
  () => {
    const tree = place("exported");
    copyTree(tree, packageJson);
    copyModules(tree);
    expect(build(tree).stdout).toContain("(commit unknown,");
  },
  BUILD_BOUND_MS,
);

test("another Bun than the pinned one is refused in a line", () => {
  const tree = place("pinned to another");
  copyTree(tree, { ...packageJson, devDependencies: { ...packageJson.devDependencies, bun: "0.0.1" } });
  expect(build(tree)).toEqual({
    code: 1,
    stdout: "",
    stderr: `This build needs Bun 0.0.1, got ${Bun.version}: run it with npx --yes bun@0.0.1\n`,
  });
  expect(existsSync(join(tree, "dist"))).toBe(false);
});

test("a source that cannot be built is said, and the exit code is 1", () => {
  const tree = place("broken");
  copyTree(tree, packageJson);
  writeFileSync(join(tree, "src/main.ts"), 'import "./nowhere";\n');
  const { code, stderr } = build(tree);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Could not resolve: "./nowhere"')]);
});

function place(name: string): string {
  return join(directory.path, name);
}

/** What the build reads, and no repository. */
function copyTree(tree: string, pinned: object): void {
  for (const name of ["src", "scripts", "test", "proto", "tsconfig.json"])
    cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  writeFileSync(join(tree, "package.json"), JSON.stringify(pinned));
}

// Copied and not linked: the bundler follows a link, and would see the same paths from everywhere.
function copyModules(tree: string): void {
  for (const name of bundledModules())
    cpSync(join(ROOT, "node_modules", name), join(tree, "node_modules", name), { recursive: true, dereference: true });
}

/** The packages that the program needs, and those that they need. */
function bundledModules(names: readonly string[] = Object.keys(packageJson.dependencies)): ReadonlySet<string> {
  const needed = names.flatMap((name) => {
    const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8"));
    return [name, ...bundledModules(dependenciesOf(manifest))];
  });
  return new Set(needed);
}

function dependenciesOf(manifest: unknown): readonly string[] {
  if (typeof manifest !== "object" || manifest === null || !("dependencies" in manifest)) return [];
  return Object.keys(manifest.dependencies ?? {});
}

/** As a container's build has them, where a machine has more. */
const FEW_DESCRIPTORS = ["/bin/sh", "-c", 'ulimit -n 1024 && exec "$0" "$@"'];

/** @param starter words before the command */
function build(tree: string, starter: readonly string[] = []) {
  return tryRun([...starter, process.execPath, join(tree, "scripts/build.ts")]);
}

function run(command: readonly string[]) {
  const ran = tryRun(command);
  if (ran.code !== 0) throw new Error(`${command.join(" ")} ended with ${ran.code}: ${ran.stderr}`);
  return ran;
}

function tryRun(command: readonly string[]) {
  const { PATH = "" } = process.env;
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: directory.path,
    env: { PATH, HOME: place("home") },
  });
  return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}
