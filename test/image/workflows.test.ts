import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import packageJson from "../../package.json" with { type: "json" };
import { VARIANT_NAMES } from "../../scripts/image/variants";
import { tool } from "../../scripts/tools/tool";
import { runToEnd } from "../support/run-to-end";
import { succeeded } from "../support/signing";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const ROOT = join(import.meta.dir, "../..");
const WORKFLOWS = [...new Glob(".github/workflows/*").scanSync({ cwd: ROOT, dot: true })].toSorted();

describe("actionlint", () => {
  beforeAll(async () => void (await tool("actionlint")), 300_000);

  test("has nothing to say of the workflows", async () => {
    expect(await lint(WORKFLOWS)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("reports a broken one", async () => {
    const { code, stdout } = await lint(["test/image/fixtures/workflows/broken.yml"]);
    expect([code, stdout.match(/\[(expression)\]/g)?.length]).toEqual([1, 2]);
    expect(stdout).toContain('"github.event.issue.title" is potentially untrusted');
    expect(stdout).toContain('property "nobody" is not defined');
  });
});

test("the workflows are three", () => {
  expect(WORKFLOWS.map((path) => path.replace(".github/workflows/", ""))).toEqual([
    "ci.yml",
    "nightly.yml",
    "release.yml",
  ]);
});

test.each(WORKFLOWS)("%s keeps the rules", (path) => {
  expect(faults(readFileSync(join(ROOT, path), "utf8"))).toEqual([]);
});

test.each(["release.yml", "nightly.yml"])("%s attests the provenance of each variant", (name) => {
  const { jobs } = parse(readFileSync(join(ROOT, ".github/workflows", name), "utf8"));
  const attested = stepsOf(jobs["publish"]).map((step) => step.with?.["subject-digest"]);
  const expected = VARIANT_NAMES.map((variant) => `\${{ steps.images.outputs.${variant} }}`);
  expect(attested.filter((digest) => digest !== undefined)).toEqual(expected);
});

describe("a workflow breaks the rules", () => {
  const sound = `
permissions: {}
concurrency: { group: it }
jobs:
  one:
    timeout-minutes: 5
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567 # v1.2.3
        with: { persist-credentials: false }
      - run: npx --yes bun@${packageJson.devDependencies.bun} run build "$NAME"
`;
  const publishing = sound
    .replace("contents: read", "contents: read, packages: write")
    .replace(/- run: npx --yes bun@\S+/, "- run: .ci/bun")
    .concat(`      - uses: actions/download-artifact@0123456789abcdef0123456789abcdef01234567 # v1.2.3
        with: { name: built, path: dist/image }
`);

  test.each([
    ["builds", sound],
    ["publishes", publishing],
  ])("not by doing what it should, when it %s", (_, workflow) => expect(faults(workflow)).toEqual([]));

  test.each([
    ["over the checkout", "path: dist/image", "path: .", "unpacks an artifact into ., and not below dist"],
    ["into no directory in particular", ", path: dist/image", "", "unpacks an artifact into ., and not below dist"],
    ["out of dist", "path: dist/image", "path: dist/../scripts", "unpacks an artifact into dist/../scripts, and"],
    ["beside dist", "path: dist/image", "path: distant", "unpacks an artifact into distant, and not below dist"],
    ["with a Bun that nobody verified", ".ci/bun", `npx --yes bun@${packageJson.devDependencies.bun}`, "with npx"],
  ] as const)("by publishing %s", (_, sane, broken, fault) => {
    const workflow = publishing.replace(sane, broken);
    expect(workflow).not.toBe(publishing);
    expect(faults(workflow)).toEqual([expect.stringContaining(fault)]);
  });

  test("by building for a job that publishes, with a Bun that nobody verified", () => {
    const [, job = ""] = sound.split("jobs:\n");
    expect(faults(publishing.replace("jobs:\n", `jobs:\n${job.replace("one:", "build:")}`))).toEqual([
      expect.stringContaining("runs a Bun that nobody verified, with npx"),
    ]);
  });

  test.each([
    ["with rights for all jobs", "permissions: {}", "permissions: { contents: read }", "rights for all of its jobs"],
    ["without a concurrency group", "concurrency: { group: it }\n", "", "no concurrency group"],
    ["without a time limit", "timeout-minutes: 5", "name: one", "job one has no time limit"],
    ["without rights of the job's own", "permissions: { contents: read }", "name: one", "job one does not say"],
    ["with an action of a tag", /@[0-9a-f]{40} # v1.2.3/, "@v1", "actions/checkout@v1 is not pinned"],
    ["with an action of a short commit", /@[0-9a-f]{40}/, "@0123456", "is not pinned"],
    ["with a commit whose version is not said", " # v1.2.3", "", "is not pinned by a commit with its version"],
    ["with a checkout that leaves the token", "with: { persist-credentials: false }", "name: one", "leaves the token"],
    ["with an expression in a command", "$NAME", "${{ github.ref_name }}", "has an expression in it"],
    ["with a script that nobody has", "run build", "run nothing-like-it", "calls nothing of this repository's"],
    ["with a file that nobody has", /npx.*$/m, ".ci/nothing", "calls nothing of this repository's"],
    ["with a command of its own", /npx.*$/m, "make all", "calls nothing of this repository's"],
    ["with another Bun", /bun@[\d.]+/, "bun@1.0.0", "calls nothing of this repository's"],
  ] as const)("%s", (_, sane, broken, fault) => {
    const workflow = sound.replace(sane, broken);
    expect(workflow).not.toBe(sound);
    expect(faults(workflow)).toEqual([expect.stringContaining(fault)]);
  });
});

describe(".ci/as-root", () => {
  const command = [join(ROOT, ".ci/as-root"), "echo", "two words", "$HOME"];

  test("just runs the command for root", async () => {
    expect(await asUser(0)).toEqual({ said: "two words $HOME\n", asked: [] });
  });

  test("for another user asks sudo, with the tools in PATH, once the tree is root's", async () => {
    const { said, asked } = await asUser(1001);
    expect([said, asked]).toEqual([
      "",
      ["chown --recursive root: .", expect.stringMatching(/^env PATH=\S+ CI=true echo two words \$HOME$/)],
    ]);
  });

  /** With programs in the place of `id` and `sudo`, the latter of which writes down what it is asked for. */
  async function asUser(uid: number) {
    using directory = temporaryDirectory();
    const record = join(directory.path, "asked");
    writeFileSync(record, "");
    for (const [name, line] of [
      ["id", `echo ${uid}`],
      ["sudo", `echo "$@" >> ${record}`],
    ] as const)
      writeFileSync(join(directory.path, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    const { PATH = "" } = process.env;
    const { stdout } = succeeded(await runToEnd(command, { PATH: `${directory.path}:${PATH}`, CI: "true" }));
    return { said: stdout, asked: readFileSync(record, "utf8").split("\n").slice(0, -1) };
  }
});

describe(".ci/bun", () => {
  const said = "echo this is Bun, told to $*";
  let tree: TemporaryDirectory;
  let registry: Bun.Server<undefined>;

  beforeAll(async () => {
    tree = temporaryDirectory();
    const archive = await new Bun.Archive({ "package/bin/bun": `#!/bin/sh\n${said}\n` }, { compress: "gzip" }).bytes();
    // bun.lock's own form: the rest of the line is of no interest to what is tested.
    const { arch } = process;
    const name = `@oven/bun-linux-${arch === "arm64" ? "aarch64" : arch}`;
    const lock = `    "${name}": ["${name}@1.2.3", "", { "os": "linux" }, "${integrity(archive)}"],\n`;
    mkdirSync(join(tree.path, ".ci"));
    copyFileSync(join(ROOT, ".ci/bun"), join(tree.path, ".ci/bun"));
    writeFileSync(join(tree.path, "package.json"), JSON.stringify({ devDependencies: { bun: "1.2.3" } }));
    writeFileSync(join(tree.path, "bun.lock"), lock);
    registry = serveRegistry(name, archive);
  });
  afterAll(async () => {
    await registry.stop(true);
    tree[Symbol.dispose]();
  });

  test("runs the Bun that bun.lock has the hash of, and fetches it once", async () => {
    for (const _ of ["first", "again"]) expect(await bun("one")).toEqual([0, "this is Bun, told to run it\n", ""]);
    expect(archivesServed).toBe(1);
  });

  test("runs nothing of a Bun with another hash, and keeps nothing of it", async () => {
    const [code, stdout, stderr] = await bun("two", (lock) => lock.replace(/sha512-..../, "sha512-AAAA"));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^\.ci\/bun: @oven\/\S+@1\.2\.3 has the sha512 \S+, and bun\.lock has AAAA\S+: it was not run\n$/,
    );
    expect(readdirSync(join(tree.path, "two/csi-livenessprobe"))).toEqual([]);
  });

  test("runs nothing where bun.lock has no hash", async () => {
    const [code, stdout, stderr] = await bun("three", () => "");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^\.ci\/bun: bun\.lock has no sha512 of @oven\/\S+@1\.2\.3: run bun install\n$/);
  });

  /** With a cache of its own, and the lock changed for this call. */
  async function bun(cache: string, change = (lock: string) => lock) {
    const path = join(tree.path, "bun.lock");
    const lock = readFileSync(path, "utf8");
    writeFileSync(path, change(lock));
    const env = {
      XDG_CACHE_HOME: join(tree.path, cache),
      npm_config_cache: join(tree.path, "npm"),
      npm_config_registry: registry.url.href,
    };
    const { code, stdout, stderr } = await runToEnd([join(tree.path, ".ci/bun"), "run", "it"], env, tree.path);
    writeFileSync(path, lock);
    return [code, stdout, stderr] as const;
  }
});

let archivesServed = 0;

/** A registry on the loopback with one package in it, as npm asks for one. */
function serveRegistry(name: string, archive: Uint8Array<ArrayBuffer>): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => {
      const { origin, pathname } = new URL(url);
      if (pathname === "/it.tgz") {
        archivesServed += 1;
        return new Response(archive);
      }
      const dist = { tarball: `${origin}/it.tgz`, integrity: integrity(archive) };
      const version = { name, version: "1.2.3", dist };
      return Response.json({ name, "dist-tags": { latest: "1.2.3" }, versions: { "1.2.3": version } });
    },
  });
}

function integrity(bytes: Uint8Array): string {
  return `sha512-${Bun.SHA512.hash(bytes, "base64")}`;
}

/** The parts of a workflow that the rules are about. */
interface Workflow {
  readonly permissions?: object;
  readonly concurrency?: { readonly group?: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly "timeout-minutes"?: number;
  readonly permissions?: object;
  readonly steps?: readonly Step[];
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
}

function parse(text: string): Workflow {
  // actionlint has checked the workflows' form, and the others are above.
  return Bun.YAML.parse(text) as Workflow;
}

function stepsOf(job: Job | undefined): readonly Step[] {
  return job?.steps ?? [];
}

/** Where a workflow breaks a rule, in a line each. */
function faults(text: string): readonly string[] {
  const { permissions, concurrency, jobs } = parse(text);
  return [
    ...(Bun.deepEquals(permissions, {}) ? [] : ["it gives rights for all of its jobs"]),
    ...(concurrency?.group === undefined ? ["it has no concurrency group"] : []),
    ...pinFaults(text),
    ...Object.entries(jobs).flatMap(([name, job]) => jobFaults(name, job)),
    ...(Object.values(jobs).some(mayWrite) ? publishingFaults(Object.values(jobs)) : []),
  ];
}

function mayWrite({ permissions = {} }: Job): boolean {
  return Object.values(permissions).includes("write");
}

/** What one job builds another one publishes, so that all jobs of such a workflow run what was verified. */
function publishingFaults(jobs: readonly Job[]): readonly string[] {
  const commands = jobs.flatMap(stepsOf).flatMap(({ run = "" }) => run.split("\n"));
  const paths = jobs
    .filter(mayWrite)
    .flatMap(stepsOf)
    .filter(({ uses = "" }) => uses.startsWith("actions/download-artifact@"))
    .map((step) => String(step.with?.["path"] ?? "."));
  return [
    ...commands
      .filter((command) => /\bnpx\b/.test(command))
      .map((line) => `${line} runs a Bun that nobody verified, with npx`),
    ...paths
      .filter((path) => !/^dist(\/\w+)?$/.test(path))
      .map((path) => `a job that may write unpacks an artifact into ${path}, and not below dist`),
  ];
}

/** In the text, for the version is a comment. */
function pinFaults(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => /\buses:/.test(line));
  return lines
    .filter((line) => !/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))
    .map((line) => `${line.trim()} is not pinned by a commit with its version`);
}

function jobFaults(name: string, job: Job): readonly string[] {
  return [
    ...(job["timeout-minutes"] === undefined ? [`job ${name} has no time limit`] : []),
    ...(job.permissions === undefined ? [`job ${name} does not say what rights it needs`] : []),
    ...stepsOf(job).flatMap(stepFaults),
  ];
}

function stepFaults({ uses = "", run, with: inputs = {} }: Step): readonly string[] {
  const leaves = uses.startsWith("actions/checkout@") && inputs["persist-credentials"] !== false;
  return [
    ...(leaves ? [`${uses} leaves the token to the steps behind it`] : []),
    ...(run ?? "").split("\n").flatMap(commandFaults),
  ];
}

function commandFaults(command: string): readonly string[] {
  if (command === "") return [];
  if (command.includes("${{")) return [`${command} has an expression in it, whose value the shell would read`];
  const [, script, file] =
    /^(?:\.ci\/as-root )?(?:(?:npx --yes bun@\S+|\.ci\/bun) run (\S+)|(\.ci\/\S+))/.exec(command) ?? [];
  const pinned = !command.includes("bun@") || command.includes(`bun@${packageJson.devDependencies.bun} `);
  const ours = script === undefined ? existsSync(join(ROOT, file ?? "none")) : script in packageJson.scripts;
  return ours && pinned ? [] : [`${command} calls nothing of this repository's`];
}

async function lint(paths: readonly string[]) {
  const { command } = await tool("actionlint");
  // What else is on the machine must not decide what is found.
  return runToEnd([...command, "-shellcheck=", "-pyflakes=", "-no-color", ...paths]);
}
