import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";
import { GO_PROGRAMS, tool } from "../../scripts/tools/tool";
import { digestOf } from "../support/registry";
import { type SignedStandIn, signStandIn } from "../support/signed-stand-in";
import { runToEnd } from "../support/run-to-end";
import { cosign, succeeded } from "../support/signing";
import { type StandInAuthority, makeAuthority } from "../support/stand-in-authority";
import { sbomPath, writeStandIn } from "../support/stand-in-image";
import { cloneWorkingTree } from "../support/working-tree";

/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;
const ROOT = join(import.meta.dirname, "../..");
const RELEASED = "livenessprobe-linux-x64";
const WORKFLOW = "https://github.com/OWNER/csi-livenessprobe/.github/workflows/release.yml@refs/tags/v0.1.0";
const ISSUER = "https://token.actions.githubusercontent.com";
/** As apko.yaml has it. */
const SOURCE = "https://github.com/csi-livenessprobe/csi-livenessprobe";
const page = readFileSync(join(ROOT, "docs/verify.md"), "utf8");

/** Commands of the page, and what it says that they write: some of the lines, in their order. */
interface Step {
  readonly commands: string;
  readonly output: readonly string[];
}

let signed: SignedStandIn;

beforeAll(async () => {
  await needPrograms({ jq: "jq" });
  signed = await signStandIn();
}, TOOLS_BOUND_MS);
afterAll(async () => signed[Symbol.asyncDispose]());

test.each(["cosign", "crane"] as const)("the page installs %s at the version that it was tried with", (name) => {
  expect(page).toContain(`\ngo install ${GO_PROGRAMS[name]}\n`);
});

describe("the commands with a key, as they stand on the page, in a clone of this repository", () => {
  let clone: string;

  beforeAll(async () => {
    clone = join(signed.directory, "with a key/csi-livenessprobe");
    mkdirSync(dirname(clone));
    const commit = cloneWorkingTree(clone);
    // Linked file by file: git ignores a directory of this name, and not a link.
    await run(["cp", "--archive", "--link", join(ROOT, "node_modules"), join(clone, "node_modules")]);
    // The image alone is a stand-in: a real one may be of another commit than this tree.
    for (const name of ["image", "release"]) mkdirSync(join(clone, "dist", name), { recursive: true });
    writeStandIn(join(clone, "dist/image"), commit, SOURCE);
    writeFileSync(join(clone, "dist/release", RELEASED), "the bytes of a release");
  }, TOOLS_BOUND_MS);

  test(
    "write what the page says, and the last two are refused",
    async () => {
      const steps = stepsOf("With a key of your own");
      expect(steps.length).toBeGreaterThan(6);
      const ran = await runSteps(steps, { directory: clone, typed: "a password\n" });
      expect(ran.map(({ code }) => code)).toEqual(steps.map((_, at) => (at < steps.length - 2 ? 0 : 1)));
      for (const [at, { output }] of steps.entries())
        expect(ran[at]?.lines).toEqual(withLines(ran[at]?.lines ?? [], output));
    },
    TOOLS_BOUND_MS,
  );

  test("leave the tree as it was, and the private key outside of it", async () => {
    expect(await run(["git", "status", "--porcelain"], { cwd: clone })).toBe("");
    const keys = [...new Glob("**/*.key").scanSync({ cwd: dirname(clone), dot: true })];
    expect(keys.filter((path) => !path.includes("node_modules")).toSorted()).toEqual([
      "csi-livenessprobe-keys/another.key",
      "csi-livenessprobe-keys/cosign.key",
    ]);
  });

  test.each(["cosign.key", "cosign.pub", "import-cosign.key", "scripts/image/mine.key"])(
    "git and an image's build take no %s from here",
    async (name) => {
      expect(await run(["git", "check-ignore", "--no-index", name], { cwd: clone })).toBe(name);
      const rules = readFileSync(join(ROOT, ".dockerignore"), "utf8").trimEnd().split("\n");
      expect(rules.slice(-2)).toEqual(["**/*.key", "**/cosign.pub"]);
    },
  );
});

describe("the commands for a release, with an authority of ours in Sigstore's place", () => {
  let authority: StandInAuthority;
  let directory: string;

  beforeAll(async () => {
    directory = join(signed.directory, "a release");
    mkdirSync(directory);
    authority = await makeAuthority(directory, WORKFLOW, ISSUER);
    const image = `${signed.registry.address}/csi-livenessprobe`;
    succeeded(await runToEnd([...(await tool("crane")).command, "copy", `${signed.repository}:1`, `${image}:0.1.0`]));
    const index = `${image}@${await digestOf(`${image}:0.1.0`)}`;
    const predicate = ["--predicate", sbomPath(signed.standIn.directory, "index")];
    const file = join(directory, RELEASED);
    await Bun.write(file, "the bytes of a release");
    for (const args of [
      ["sign", ...authority.signing, "--recursive", index],
      ["attest", ...authority.signing, "--type", "spdxjson", ...predicate, index],
      ["attest", ...authority.signing, "--type", "https://openvex.dev/ns/v0.2.0", ...predicate, index],
      ["attest", ...authority.signing, "--type", "slsaprovenance1", ...predicate, index],
      ["sign-blob", ...authority.signing, "--bundle", `${file}.sigstore.json`, file],
    ])
      // oxlint-disable-next-line no-await-in-loop -- they write to one list
      succeeded(await cosign(args, { COSIGN_PASSWORD: "" }));
  });

  test.each([
    ["the workflow at its tag: accepted", WORKFLOW, ISSUER, 0],
    ["another tag: refused", WORKFLOW.replace("v0.1.0", "v0.1.1"), ISSUER, 1],
    ["a branch: refused", WORKFLOW.replace("tags/v0.1.0", "heads/main"), ISSUER, 1],
    ["another workflow: refused", WORKFLOW.replace("release.yml", "nightly.yml"), ISSUER, 1],
    ["another owner: refused", WORKFLOW.replace("OWNER", "other"), ISSUER, 1],
    ["another issuer: refused", WORKFLOW, "https://accounts.example", 1],
  ])("%s", async (_, workflow, issuer, code) => {
    const [step] = stepsOf("A release");
    // Each command is a step of its own here, so that the exit code of each is seen; assignments come first.
    const [assignments = "", commands = ""] = step?.commands.split("\n\n") ?? [];
    expect(assignments).toContain(WORKFLOW);
    const steps = commands.split("\n").map((command, at) => ({
      commands: `${at === 0 ? `${assignments.replace(WORKFLOW, workflow).replace(ISSUER, issuer)}\n` : ""}${command}`,
      output: [],
    }));
    const ran = await runSteps(steps, { directory, verifying: authority.verifying });
    expect(ran.map((ended) => ended.code)).toEqual([code, code, code, code, code]);
    for (const { lines } of ran)
      expect(lines.join("\n")).toContain(code === 0 ? "erified" : "no matching CertificateIdentity found");
  });
});

function stepsOf(section: string): readonly Step[] {
  const text = page.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...text.matchAll(/```sh\n([^]*?)\n```(?:\n\n```text\n([^]*?)\n```)?/g)].map(
    ([, commands = "", output = ""]) => ({
      commands,
      output: output === "" ? [] : output.split("\n").map(normalise),
    }),
  );
}

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
}

const END = "=== ended with ";

interface Shell {
  readonly directory: string;
  /** Given to each verifying command of cosign beside its own. */
  readonly verifying?: readonly string[];
  /** On standard input. */
  readonly typed?: string;
}

/** Runs the steps in one shell, with the registry of this test in the place of `registry.example`. */
async function runSteps(
  steps: readonly Step[],
  { directory, verifying = [], typed = "" }: Shell,
): Promise<readonly Ran[]> {
  const script = steps.flatMap(({ commands }) => [`{ ${commands}\n} 2>&1`, `echo "${END}$?"`]).join("\n");
  const here = script.replaceAll("registry.example/", `${signed.registry.address}/`);
  const child = Bun.spawn(["bash", "-o", "pipefail", "-c", here], {
    cwd: directory,
    env: { ...process.env, PATH: `${await tools(verifying)}:${dirname(process.execPath)}:${process.env["PATH"]}` },
    stdin: new Blob([typed]),
    stdout: "pipe",
    stderr: "inherit",
  });
  const parts = (await child.stdout.text()).split(END);
  return steps.map((_, at) => ({
    code: Number.parseInt(parts[at + 1] ?? "", 10),
    lines: (parts[at] ?? "")
      .replace(/^\d+\n/, "")
      .trimEnd()
      .split("\n")
      .map(normalise),
  }));
}

/** A directory with cosign and crane, which whoever reads the page has installed. */
async function tools(verifying: readonly string[]): Promise<string> {
  const directory = join(signed.directory, `tools-${verifying.length}`);
  mkdirSync(directory, { recursive: true });
  const more = `case "$1" in verify*) what=$1; shift; set -- "$what" ${quoted(verifying)} "$@" ;; esac`;
  for (const name of ["cosign", "crane"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- two
    const { command } = await tool(name);
    const lines = ["#!/bin/sh", name === "cosign" ? more : "", `exec ${quoted(command)} "$@"`, ""];
    writeFileSync(join(directory, name), lines.join("\n"), { mode: 0o755 });
  }
  return directory;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

/** What differs from build to build. */
function normalise(line: string): string {
  return line
    .replaceAll(signed.registry.address, "registry.example")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:...")
    .replaceAll(/\b[0-9a-f]{40}(-dirty)?/g, "COMMIT")
    .replaceAll(/"sourceDateEpoch": \d+/g, '"sourceDateEpoch": SECONDS');
}

/** The lines where each of `wanted` is among them in its order; else `wanted`, to be shown beside them. */
function withLines(lines: readonly string[], wanted: readonly string[]): readonly string[] {
  let at = 0;
  for (const line of lines) if (line === wanted[at]) at += 1;
  return at === wanted.length ? lines : wanted;
}
