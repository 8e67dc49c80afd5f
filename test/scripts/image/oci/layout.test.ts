import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../../scripts/run";
import { imageOf, openLayout, readImageFile } from "../../../../scripts/image/oci/layout";
import { readTar } from "../../../../scripts/image/oci/tar";
import { temporaryDirectory } from "../../../../scripts/temporary";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";

test.each([
  ["as it is", LAYER, (tar: Uint8Array<ArrayBuffer>) => tar],
  ["in gzip", `${LAYER}+gzip`, (tar: Uint8Array<ArrayBuffer>) => Bun.gzipSync(tar)],
  ["in zstd", `${LAYER}+zstd`, (tar: Uint8Array<ArrayBuffer>) => new Uint8Array(Bun.zstdCompressSync(tar))],
] as const)("a layer is read %s", async (_, mediaType, compress) => {
  using directory = temporaryDirectory();
  const tar = await tarOf(directory.path, { "usr/bin/it": "content" });
  const digest = writeLayout(directory.path, mediaType, compress(tar));
  const layout = openLayout(directory.path);
  const image = imageOf(layout, "amd64");
  expect(layout).toMatchObject({ digest, mediaType: INDEX, annotations: { of: "the index" } });
  expect(image.annotations).toEqual({ of: "the image" });
  expect(image.config.config).toEqual({ User: "0" });
  expect([...image.files().keys()]).toEqual(["/", "/usr", "/usr/bin", "/usr/bin/it"]);
  expect(Buffer.from(readImageFile(image, "/usr/bin/it")).toString()).toBe("content");
});

test("a blob that was changed is refused", async () => {
  using directory = temporaryDirectory();
  writeLayout(directory.path, LAYER, await tarOf(directory.path, { it: "content" }), (blob) => blob.fill(0, 0, 1));
  expect(() => imageOf(openLayout(directory.path), "amd64").files()).toThrow(/is sha256:\w+ with \d+ bytes, and/);
});

test("an architecture that is not there is said", async () => {
  using directory = temporaryDirectory();
  writeLayout(directory.path, LAYER, await tarOf(directory.path, {}));
  expect(() => imageOf(openLayout(directory.path), "s390x")).toThrow("There is no image for s390x, only for amd64");
});

test("a directory that is no layout is said", () => {
  using directory = temporaryDirectory();
  expect(() => openLayout(directory.path)).toThrow(`${directory.path} is not an OCI layout: it has no index.json`);
});

test("a tar of every kind of entry, with names that are too long for its header", async () => {
  using directory = temporaryDirectory();
  const long = `${"long/".repeat(30)}${"name".repeat(40)}`;
  const tar = await tarOf(directory.path, { [long]: "one", short: "two" }, [
    `ln -s ${"x".repeat(120)} link`,
    "mkfifo pipe",
    "chmod 4751 short",
  ]);
  const entries = readTar(tar);
  const named = (path: string) => entries.find((entry) => entry.path === path);
  expect(named(long)).toMatchObject({ type: "file", content: Buffer.from("one") });
  expect(named("short")).toMatchObject({ type: "file", mode: 0o4751, uid: 7, gid: 8, mtime: 9 });
  expect(named("link")).toMatchObject({ type: "symlink", target: "x".repeat(120) });
  expect(named("pipe")).toMatchObject({ type: "special" });
  expect(entries[0]).toMatchObject({ path: "", type: "directory" });
});

test.each([
  ["is cut short", (tar: Uint8Array) => tar.subarray(0, 512), /^tar: .*Truncated/],
  ["has a changed header", (tar: Uint8Array) => tar.fill(1, 0, 1), /^tar: .*checksum/],
])("a tar that %s is refused", async (_, damage, message) => {
  using directory = temporaryDirectory();
  const tar = await tarOf(directory.path, { it: "content" }, [], "it");
  expect(() => readTar(damage(tar))).toThrow(message);
});

test.each([
  ["a hard link", "ln it hard", "tar: it is a Link; no image of ours has one"],
  ["a whiteout", "touch .wh.below", "A layer removes a file with /.wh.below; no image of ours does"],
])("%s is refused", async (_, command, message) => {
  using directory = temporaryDirectory();
  writeLayout(directory.path, LAYER, await tarOf(directory.path, { it: "content" }, [command]));
  expect(() => imageOf(openLayout(directory.path), "amd64").files()).toThrow(message);
});

test("a link is followed, also to an absolute path, and a circle of them is no file", async () => {
  using directory = temporaryDirectory();
  const links = ["mkdir sub", "ln -s sub/b a", "ln -s /c sub/b", "ln -s e d", "ln -s d e"];
  writeLayout(directory.path, LAYER, await tarOf(directory.path, { c: "content" }, links));
  const image = imageOf(openLayout(directory.path), "amd64");
  expect(Buffer.from(readImageFile(image, "/a")).toString()).toBe("content");
  expect(() => readImageFile(image, "/d")).toThrow("The image has no file /");
});

/** What GNU tar makes of the files, in pax format. */
async function tarOf(
  scratch: string,
  files: Readonly<Record<string, string>>,
  commands: readonly string[] = [],
  member = ".",
): Promise<Uint8Array<ArrayBuffer>> {
  const root = join(scratch, "root");
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const command of commands) await run(["sh", "-c", command], { cwd: root });
  const archive = join(scratch, "archive.tar");
  const owner = ["--owner=someone:7", "--group=some:8", "--mtime=@9", "--sort=name"];
  await run(["tar", "--create", "--format=pax", ...owner, "--file", archive, "--directory", root, member]);
  return new Uint8Array(await Bun.file(archive).arrayBuffer());
}

/** An index of one image with one layer; the digest of the index. */
function writeLayout(
  path: string,
  mediaType: string,
  layer: Uint8Array<ArrayBuffer>,
  damage: (blob: Uint8Array) => void = () => {},
): string {
  const blobs = join(path, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (type: string, content: Uint8Array<ArrayBuffer>, change: (blob: Uint8Array) => void = () => {}) => {
    const hash = Bun.SHA256.hash(content, "hex");
    const blob = content.slice();
    change(blob);
    writeFileSync(join(blobs, hash), blob);
    return { mediaType: type, digest: `sha256:${hash}`, size: content.length };
  };
  const json = (type: string, value: object) => put(type, new Uint8Array(Buffer.from(JSON.stringify(value))));
  const config = {
    architecture: "amd64",
    os: "linux",
    config: { User: "0" },
    rootfs: { type: "layers", diff_ids: [] },
  };
  const image = {
    config: json("application/vnd.oci.image.config.v1+json", config),
    layers: [put(mediaType, layer, damage)],
    annotations: { of: "the image" },
  };
  const index = json(INDEX, { manifests: [json(MANIFEST, image)], annotations: { of: "the index" } });
  writeFileSync(join(path, "index.json"), JSON.stringify({ manifests: [index] }));
  return index.digest;
}
