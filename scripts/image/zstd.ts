import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Of the largest layer 47 MB where gzip makes 56, in 2 s; level 19 makes 42, in 51 s. */
const LEVEL = 9;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly layers: readonly Descriptor[];
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

/**
 * Makes an image from another: the same files and configuration, with the layers in zstd. Its SBOMs are the same, with
 * the new digests.
 *
 * @param directory holds `FROM/`, an OCI layout whose index names one index, and `sbom/FROM/`; takes `TO/` and `sbom/TO/`
 * @returns the digest of its index
 */
export function recompress(directory: string, from: string, to: string): string {
  const source = join(directory, from);
  const target = join(directory, to);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, "blobs/sha256"), { recursive: true });
  copyFileSync(join(source, "oci-layout"), join(target, "oci-layout"));
  /** Old digest -> new one. */
  const exchanged = new Map<string, string>();

  const put = (old: Descriptor, bytes: Uint8Array, mediaType = old.mediaType): Descriptor => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(target, "blobs/sha256", sha256), bytes);
    const digest = `sha256:${sha256}`;
    exchanged.set(old.digest, digest);
    return { ...old, mediaType, digest, size: bytes.length };
  };
  const read = (descriptor: Descriptor) => readFileSync(blobPath(source, descriptor));
  const putJson = (old: Descriptor, value: object) => put(old, Buffer.from(JSON.stringify(value)));

  const putManifest = (old: Descriptor): Descriptor => {
    // apko wrote it, as the OCI image manifest specification says.
    const manifest = JSON.parse(read(old).toString()) as Manifest & { readonly config: Descriptor };
    const config = put(manifest.config, read(manifest.config));
    const layers = manifest.layers.map((layer) =>
      put(
        layer,
        Bun.zstdCompressSync(Bun.gunzipSync(read(layer)), { level: LEVEL }),
        layer.mediaType.replace("gzip", "zstd"),
      ),
    );
    return putJson(old, { ...manifest, config, layers });
  };

  const layout = JSON.parse(readFileSync(join(source, "index.json"), "utf8")) as Index;
  const manifests = layout.manifests.map((old) => {
    const index = JSON.parse(read(old).toString()) as Index;
    return putJson(old, { ...index, manifests: index.manifests.map(putManifest) });
  });
  writeFileSync(join(target, "index.json"), JSON.stringify({ ...layout, manifests }));
  exchangeDigests(join(directory, "sbom", from), join(directory, "sbom", to), exchanged);
  return manifests[0]?.digest ?? "";
}

function blobPath(layout: string, { digest }: Descriptor): string {
  return join(layout, "blobs", digest.replace(":", "/"));
}

/** An SBOM has digests with and without their algorithm, so only the hexadecimal part is replaced. */
function exchangeDigests(from: string, to: string, exchanged: ReadonlyMap<string, string>): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    let text = readFileSync(join(from, name), "utf8").replaceAll("tar%2Bgzip", "tar%2Bzstd");
    for (const [old, digest] of exchanged) text = text.replaceAll(hex(old), hex(digest));
    writeFileSync(join(to, name), text);
  }
}

function hex(digest: string): string {
  return digest.replace("sha256:", "");
}
