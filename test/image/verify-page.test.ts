import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { BUILT_DIRECTORY, openBuilt } from "../../scripts/image/built";
import { needPrograms } from "../../scripts/tools/debian";
import { tool } from "../../scripts/tools/tool";
import { digestOf } from "../support/registry";
import { type SignedStandIn, signStandIn } from "../support/signed-stand-in";
import { runToEnd } from "../support/run-to-end";
import { cosign, succeeded } from "../support/signing";
import { type StandInAuthority, makeAuthority } from "../support/stand-in-authority";
import { sbomPath } from "../support/stand-in-image";

/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;
const ROOT = join(import.meta.dirname, "../..");
const RELEASED = "livenessprobe-linux-x64";
const WORKFLOW = "https://github.com/OWNER/csi-livenessprobe/.github/workflows/release.yml@refs/tags/v0.1.0";
const ISSUER = "https://token.actions.githubusercontent.com";
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

test("the commands with a key write what the page says, and the last two are refused", async () => {
  const { annotations } = openBuilt(BUILT_DIRECTORY, "livenessprobe");
  const directory = join(signed.directory, "with a key");
  mkdirSync(join(directory, "dist/release"), { recursive: true });
  cpSync(join(ROOT, "dist/release", RELEASED), join(directory, "dist/release", RELEASED));
  const steps = stepsOf("With a key of your own");
  expect(steps.length).toBeGreaterThan(6);
  const ran = await run(steps, directory, [], {
    COSIGN_PASSWORD: "a password",
    BUILD_COMMIT: annotations["org.opencontainers.image.revision"] ?? "",
  });
  expect(ran.map(({ code }) => code)).toEqual(steps.map((_, at) => (at < steps.length - 2 ? 0 : 1)));
  for (const [at, { output }] of steps.entries())
    expect(ran[at]?.lines).toEqual(withLines(ran[at]?.lines ?? [], output));
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
    const ran = await run(steps, directory, authority.verifying, {});
    expect(ran.map((ended) => ended.code)).toEqual([code, code, code, code]);
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

/**
 * Runs the steps in one shell, with the registry of this test in the place of `registry.example`.
 *
 * @param verifying given to each verifying command of cosign beside its own
 */
async function run(
  steps: readonly Step[],
  directory: string,
  verifying: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Ran[]> {
  const commandOf = async (name: "cosign" | "crane"): Promise<string> => quoted((await tool(name)).command);
  const script = [
    "set -o pipefail",
    `cosign() { case $1 in verify*) set -- "$1" ${quoted(verifying)} "\${@:2}" ;; esac; ${await commandOf("cosign")} "$@"; }`,
    `crane() { ${await commandOf("crane")} "$@"; }`,
    `bun() { case $2 in ${scripts(directory)} *) echo "package.json has no $2"; return 127 ;; esac; }`,
    ...steps.flatMap(({ commands }) => [`{ ${commands}\n} 2>&1`, `echo "${END}$?"`]),
  ].join("\n");
  const here = script.replaceAll("registry.example/", `${signed.registry.address}/`);
  const { stdout } = succeeded(await runToEnd(["bash", "-c", here], env, directory));
  const parts = stdout.split(END);
  return steps.map((_, at) => ({
    code: Number.parseInt(parts[at + 1] ?? "", 10),
    lines: (parts[at] ?? "")
      .replace(/^\d+\n/, "")
      .trimEnd()
      .split("\n")
      .map(normalise),
  }));
}

/** What `bun run NAME` starts, by package.json, but for installing; with this directory's files of a release. */
function scripts(directory: string): string {
  return Object.entries(packageJson.scripts)
    .map(([name, line]) => [name, /bun (scripts\/\S+)/.exec(line)?.[1]] as const)
    .filter(([, path]) => path !== undefined)
    .map(([name, path]) => {
      const command = quoted([process.execPath, join(ROOT, path ?? "")]);
      const from = name.startsWith("release:") ? quoted(["--from", join(directory, "dist/release")]) : "";
      return `${name}) ${command} ${from} "\${@:3}" ;;`;
    })
    .join(" ");
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
