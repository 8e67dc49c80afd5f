import { expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { APK_ARCHITECTURES, writeApk, writeIndex } from "../../scripts/image/apk";
import { buildVariant } from "../../scripts/image/apko";
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { differences } from "../../scripts/image/compare";
import { livenessprobe } from "../../scripts/image/packages";
import type { Variant } from "../../scripts/image/variants";
import { ARCHITECTURES } from "../../scripts/image/inputs/lock";
import { openVariant } from "../support/built-images";
import { type OciImage, openLayout } from "../../scripts/image/oci/layout";
import { readTar } from "../../scripts/image/oci/tar";
import { temporaryDirectory } from "../../scripts/temporary";

/** What apko itself writes of the packages and of the definition. */
const APKO_OWN = ["/etc/apk/world", "/etc/apko.json", "/usr/lib/apk/db/installed"];

test("-nonroot is the default image with another user, which apko's own record of the definition names too", () => {
  expect(whatDiffers("livenessprobe", "livenessprobe-nonroot")).toEqual([
    "/etc/apko.json",
    "config: User",
    "layer 4 of 4",
  ]);
  const users = ["livenessprobe", "livenessprobe-nonroot"] as const;
  expect(users.map((variant) => openVariant(variant).images.map(({ config }) => config.config.User))).toEqual([
    ["0", "0"],
    ["65532", "65532"],
  ]);
});

test("-dev is the default image and busybox", () => {
  const paths = whatDiffers("livenessprobe", "livenessprobe-dev").filter((what) => what.startsWith("/"));
  const golden = readFileSync(join(import.meta.dirname, "files-dev.golden.txt"), "utf8");
  const additions = golden
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  // In the golden list the SBOM is without its version.
  const versionless = paths.map((path) => path.replace(/-\d[^/]*\.spdx\.json$/, "-VERSION.spdx.json"));
  expect(versionless.toSorted()).toEqual([...APKO_OWN, ...additions].toSorted());
});

test.each([
  ["livenessprobe", "livenessprobe-zstd"],
  ["livenessprobe-nonroot", "livenessprobe-nonroot-zstd"],
] as const)("%s and %s differ in nothing but the compression of their layers", (one, other) => {
  expect(whatDiffers(one, other)).toEqual([1, 2, 3, 4].map((layer) => `layer ${layer} of 4`));
  for (const { layers } of openVariant(other).images)
    expect(layers.map(({ mediaType }) => mediaType)).toEqual(
      layers.map(() => "application/vnd.oci.image.layer.v1.tar+zstd"),
    );
});

test.each(["livenessprobe", "livenessprobe-nonroot", "livenessprobe-dev", "livenessprobe-zstd"] as const)(
  "the layers of %s unpack to what its configuration says",
  (variant) => {
    for (const { config, layers } of openVariant(variant).images)
      expect(layers.map((layer) => `sha256:${Bun.SHA256.hash(layer.tar(), "hex")}`)).toEqual([
        ...config.rootfs.diff_ids,
      ]);
  },
);

test("a new version of the sidecar leaves the layers of glibc and of the base layout as they were", async () => {
  using directory = temporaryDirectory();
  await buildAnother(directory.path);
  const [built, another] = [openVariant("livenessprobe"), openLayout(join(directory.path, "livenessprobe"))];
  expect(another.images.map(baseLayers)).toEqual(built.images.map(baseLayers));
  expect(another.images.map(({ layers }) => layers.length)).toEqual(built.images.map(({ layers }) => layers.length));
  // apko would keep a copy of all packages there.
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "dev.chainguard.go-apk");
  const kept = existsSync(cache) ? readdirSync(cache) : [];
  expect(kept.filter((name) => name.includes(basename(directory.path)))).toEqual([]);
});

/** Which files, parts of the configuration and layers two variants differ in, on each architecture alike. */
function whatDiffers(one: Variant, other: Variant): readonly string[] {
  const lines = differences(openVariant(one), openVariant(other));
  const [amd64 = [], arm64 = []] = ARCHITECTURES.map((architecture) => {
    const here = lines.filter((line) => line.startsWith(`${architecture}: `));
    return [...new Set(here.map((line) => /^\w+: (config: \w+|[^:]+)/.exec(line)?.[1] ?? line))].toSorted();
  });
  expect(arm64).toEqual(amd64);
  expect(lines.filter((line) => !/^a[mr][dm]64: /.test(line))).toEqual([]);
  return amd64;
}

/** Builds the default image with another version of our own package, made at another time from another commit. */
async function buildAnother(directory: string): Promise<void> {
  const executable = join(directory, "executable");
  writeFileSync(executable, "another version");
  const [version, commit, epoch] = ["99.0.0", "f".repeat(40), 1_900_000_000];
  const packages = join(directory, "packages");
  for (const architecture of ARCHITECTURES) {
    const folder = APK_ARCHITECTURES[architecture];
    cpSync(join(BUILT_DIRECTORY, "packages", folder), join(packages, folder), {
      recursive: true,
      filter: (path) => !/\/livenessprobe-\d/.test(path),
    });
    await writeApk({ ...livenessprobe(executable, [], epoch), version }, architecture, packages);
    await writeIndex(join(packages, folder));
  }
  await buildVariant("livenessprobe", "apko.yaml", { directory, version, commit, epoch });
}

/**
 * The digests of the layers of glibc and of the base layout; their order is by size, and the sidecar's is not that of
 * another.
 */
function baseLayers({ layers }: OciImage): readonly string[] {
  const marks = ["usr/lib/libc.so.6", "etc/nsswitch.conf"];
  const paths = layers.map((layer) => ({ layer, paths: readTar(layer.tar()).map(({ path }) => path) }));
  return marks.map(
    (mark) => paths.find((candidate) => candidate.paths.includes(mark))?.layer.digest ?? `no layer has ${mark}`,
  );
}
