import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { APK_ARCHITECTURES } from "../../scripts/image/apk";
import { runApko } from "../../scripts/image/apko";
import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";
import { type Digest, type ImageFile, type OciImage, imageOf, openLayout } from "../../scripts/image/oci/layout";
import { writeRootfs } from "../support/rootfs";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const ROOT = join(import.meta.dir, "../..");
const BUILT = join(ROOT, "dist/image");
const ARCHITECTURES = ["amd64", "arm64"] as const;
const BUILD_BOUND_MS = 300_000;

let directory: TemporaryDirectory;
/** What `bun run image` says its executable was built from; the Dockerfile is told the same. */
let commit = "";

beforeAll(async () => {
  directory = temporaryDirectory();
  await needPrograms({ buildah: "buildah" });
  commit = openLayout(join(BUILT, "livenessprobe")).annotations["org.opencontainers.image.revision"] ?? "";
  for (const architecture of ARCHITECTURES) {
    // oxlint-disable-next-line no-await-in-loop -- both take all processors
    await stageFiles(architecture);
    // oxlint-disable-next-line no-await-in-loop
    await makeBase(architecture);
  }
}, BUILD_BOUND_MS);
afterAll(() => directory[Symbol.dispose]());

describe.each(ARCHITECTURES)("the Dockerfile, on another base and for %s,", (architecture) => {
  let image: OciImage;
  let published: OciImage;
  let digest: Digest;

  beforeAll(async () => {
    const layout = await build(architecture, "first", stage(architecture));
    ({ digest } = layout);
    image = imageOf(layout, architecture);
    published = imageOf(openLayout(join(BUILT, "livenessprobe")), architecture);
  }, BUILD_BOUND_MS);

  test(
    "makes the same image twice",
    async () => expect((await build(architecture, "second", stage(architecture))).digest).toBe(digest),
    BUILD_BOUND_MS,
  );

  test("makes an image that starts as the published one does", () => {
    const { Labels: _, ...config } = image.config.config;
    const { Labels: __, ...expected } = published.config.config;
    expect(config).toEqual(expected);
  });

  test("lays out our files, each as it is in the published image, and no other", () => {
    const [, ...ours] = image.layers;
    expect(ours).toHaveLength(1);
    expect(ourFiles(image)).toEqual(ourFiles(published));
  });
});

test(
  "an image for amd64 tells its version",
  async () => {
    // Not with `buildah run`: buildah 1.28.2 relays the output, and now and then loses all of it.
    using root = temporaryDirectory();
    writeRootfs(imageOf(openLayout(place("amd64-first")), "amd64"), root.path);
    const [loader, libraries] = [join(root.path, "usr/lib/ld.so"), join(root.path, "usr/lib")];
    const executable = join(root.path, "usr/bin/livenessprobe");
    expect(await run([loader, "--library-path", libraries, executable, "--version"])).toContain(`(commit ${commit},`);
  },
  BUILD_BOUND_MS,
);

test(
  "the build stage compiles the very executable that is published, for another architecture too",
  async () => {
    const image = imageOf(await build("arm64", "whole", await standInBuilder()), "arm64");
    expect(ourFiles(image)).toEqual(ourFiles(imageOf(openLayout(join(BUILT, "livenessprobe")), "arm64")));
  },
  BUILD_BOUND_MS,
);

describe("the text of the Dockerfile", () => {
  const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
  const instructions = text.split("\n").filter((line) => /^[A-Z]/.test(line));
  const final = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM ")));

  test.each(["RUN", "CMD", "HEALTHCHECK", "ADD"])("has no %s in the final stage", (instruction) => {
    expect(final.filter((line) => line.startsWith(instruction))).toEqual([]);
  });

  test.each([
    ["BASE", "gcr.io/distroless/base-debian12"],
    ["BUILDER", "node:24-bookworm-slim"],
  ])("names %s in full and by its digest, so that it builds without an argument", (name, image) => {
    const given = instructions.find((line) => line.startsWith(`ARG ${name}=`));
    expect(given).toMatch(new RegExp(`^ARG ${name}=${image}@sha256:[0-9a-f]{64}$`));
  });
});

/** Arguments that put the directory of files that was staged in the place of the build stage. */
function stage(architecture: string): readonly string[] {
  return [`--build-context=build=${place(`staged-${architecture}`)}`];
}

async function stageFiles(architecture: string): Promise<void> {
  const out = join(place(`staged-${architecture}`), "image");
  const script = join(ROOT, "scripts/image/stage.ts");
  await run([process.execPath, script, "--architecture", architecture, "--out", out], {
    env: { BUILD_COMMIT: commit },
  });
}

/** In the place of a distroless base: the published image's own, without our files. */
async function makeBase(architecture: (typeof ARCHITECTURES)[number]): Promise<void> {
  const folder = place(`apko-${architecture}`);
  const base = place(`base-${architecture}`);
  for (const path of [folder, base]) mkdirSync(path);
  symlinkSync(join(BUILT, "packages"), join(folder, "packages"));
  const contents = { repositories: ["packages"], packages: ["livenessprobe-glibc", "livenessprobe-baselayout"] };
  // JSON is YAML too.
  writeFileSync(join(folder, "base.yaml"), JSON.stringify({ contents, archs: [APK_ARCHITECTURES[architecture]] }));
  await runApko(["--sbom=false", "base.yaml", "base:1", base], folder, 0);
}

/**
 * Arguments that put this machine's Node.js, npm and CA certificates in the place of the builder's image: an image of
 * empty directories, and ours mounted over them.
 */
async function standInBuilder(): Promise<readonly string[]> {
  const root = place("builder");
  for (const folder of ["etc", "proc", "root", "tmp", "usr"]) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ["bin", "lib", "lib64"]) symlinkSync(`usr/${folder}`, join(root, folder));
  const recipe = place("builder.Dockerfile");
  writeFileSync(recipe, "FROM scratch\nCOPY . /\n");
  await buildah("build", "--isolation=chroot", "--tag=localhost/builder", `--file=${recipe}`, root);
  const own = [
    "--build-arg=BUILDER=localhost/builder",
    `--build-arg=BUILDPLATFORM=linux/${process.arch.replace("x64", "amd64")}`,
  ];
  return [...own, "--volume=/usr:/usr:ro", "--volume=/etc/ssl:/etc/ssl:ro", `--build-arg=COMMIT=${commit}`];
}

async function build(architecture: string, name: string, how: readonly string[]) {
  const layout = `${architecture}-${name}`;
  const reproducibly = ["--timestamp=0", "--omit-history", "--identity-label=false", "--layers=false", "--format=oci"];
  const base = [`--build-arg=BASE=oci:base-${architecture}`];
  const target = [`--platform=linux/${architecture}`, `--tag=oci:${layout}`];
  await buildah("build", "--isolation=chroot", ...reproducibly, ...base, ...how, ...target, ROOT);
  return openLayout(place(layout));
}

/** In our directory: it makes an image's name of a layout's path, and takes no capitals in it. */
async function buildah(...args: readonly string[]): Promise<string> {
  const storage = [`--root=${place("storage")}`, `--runroot=${place("run")}`, "--storage-driver=vfs"];
  return run(["buildah", ...storage, ...args], { cwd: directory.path });
}

/**
 * What the Dockerfile adds: path -> what it is, with a file's content as its hash. Directories are not of one package.
 */
function ourFiles(image: OciImage): Readonly<Record<string, object>> {
  const ours = [...image.files()].filter(
    ([path, { type }]) => type !== "directory" && /^\/(usr\/bin|usr\/share\/licenses)\/|^\/livenessprobe$/.test(path),
  );
  return Object.fromEntries(ours.map(([path, file]) => [path, describeFile(file)]));
}

/** Without its time, which is that of the build, and, of a link, the mode: nothing reads it. */
function describeFile(file: ImageFile): object {
  const { type, uid, gid, mode } = file;
  if (file.type === "symlink") return { type, uid, gid, target: file.target };
  return { type, uid, gid, mode, ...(file.type === "file" ? { sha256: Bun.SHA256.hash(file.content, "hex") } : {}) };
}

function place(name: string): string {
  return join(directory.path, name);
}
