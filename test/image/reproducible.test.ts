import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { differences } from "../../scripts/image/compare";
import { run } from "../../scripts/run";
import { openLayout } from "../../scripts/image/oci/layout";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const ROOT = join(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "dist/image");
const BUILD_BOUND_MS = 240_000;
const VARIANTS = Object.keys(readDigests(ROOT));

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = temporaryDirectory();
  await copyTree(tree());
}, BUILD_BOUND_MS);
afterAll(() => directory[Symbol.dispose]());

test(
  "another directory, time zone, locale and umask give the same digests",
  async () => {
    await build([]);
    expect(whatDiffers()).toEqual([]);
    expect(readDigests(tree())).toEqual(readDigests(ROOT));
  },
  BUILD_BOUND_MS,
);

test(
  "the apks of a release give its digests, without its inputs",
  async () => {
    const apks = join(directory.path, "apks");
    cpSync(join(IMAGES, "packages"), apks, { recursive: true });
    await build(["--packages", apks]);
    expect(whatDiffers()).toEqual([]);
    expect(readDigests(tree())).toEqual(readDigests(ROOT));
  },
  BUILD_BOUND_MS,
);

test("where two images differ, it is said in which file", () => {
  const [one, other] = ["livenessprobe", "livenessprobe-nonroot"].map((name) => openLayout(join(IMAGES, name)));
  if (one === undefined || other === undefined) throw new Error("two were asked for");
  const found = differences(one, other).map((line) =>
    line.replaceAll(/"?(sha256:)?[0-9a-f]{64}"?/g, "HASH").replaceAll(/size is \d+ and \d+/g, "size is N and M"),
  );
  expect(found).toEqual(
    ["amd64", "arm64"].flatMap((architecture) => [
      `${architecture}: /etc/apko.json: size is N and M`,
      `${architecture}: /etc/apko.json: sha256 is HASH and HASH`,
      `${architecture}: config: User is "0" and "65532"`,
      `${architecture}: layer 4 of 4: HASH and HASH`,
    ]),
  );
});

function tree(): string {
  return join(directory.path, "a longer path/tree");
}

/** The files as they are, without git: what was built in dist/image says of which commit it is. */
async function copyTree(target: string): Promise<void> {
  const listed = await run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: ROOT });
  const there = listed.split("\0").filter((path) => path !== "" && existsSync(join(ROOT, path)));
  for (const path of there) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(join(ROOT, path), join(target, path), { force: true });
  }
  cpSync(join(ROOT, "node_modules"), join(target, "node_modules"), { recursive: true });
}

async function build(args: readonly string[]): Promise<void> {
  const { annotations } = openLayout(join(IMAGES, "livenessprobe"));
  const created = Date.parse(annotations["org.opencontainers.image.created"] ?? "");
  const command = ["sh", "-c", 'umask 0077 && exec "$@"', "sh", process.execPath, "scripts/image/image.ts", ...args];
  await run(command, {
    cwd: tree(),
    env: {
      BUILD_COMMIT: annotations["org.opencontainers.image.revision"] ?? "",
      SOURCE_DATE_EPOCH: String(created / 1_000),
      TZ: "Pacific/Kiritimati",
      LC_ALL: "tr_TR.UTF-8",
    },
  });
}

function whatDiffers(): readonly string[] {
  return VARIANTS.flatMap((variant) => {
    const [one, other] = [ROOT, tree()].map((root) => openLayout(join(root, "dist/image", variant)));
    if (one === undefined || other === undefined) throw new Error("two were asked for");
    return differences(one, other).map((line) => `${variant}: ${line}`);
  });
}

function readDigests(root: string): Readonly<Record<string, string>> {
  const digests: Record<string, string> = JSON.parse(readFileSync(join(root, "dist/image/digests.json"), "utf8"));
  return digests;
}
