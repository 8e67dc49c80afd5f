import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../scripts/image/oci/layout";

/** What a `dist/image` has, but for what is in the images: one small layer each. */
export interface StandIn {
  readonly directory: string;
  readonly index: Digest;
  /** By architecture. */
  readonly images: Readonly<Record<"amd64" | "arm64", Digest>>;
}

const SBOM_NAMES = { amd64: "x86_64", arm64: "aarch64" } as const;
const ARCHITECTURES = ["amd64", "arm64"] as const;

/**
 * Writes a stand-in for what `bun run image` leaves, of the variant `livenessprobe`.
 *
 * @param directory empty
 * @param revision what its annotations name, as the source
 */
export function writeStandIn(directory: string, revision: string, source = "https://registry.example/source"): StandIn {
  const annotations = {
    "org.opencontainers.image.created": "2026-11-22T00:00:00Z",
    "org.opencontainers.image.revision": revision,
    "org.opencontainers.image.source": source,
  };
  const layout = join(directory, "livenessprobe");
  const blobs = join(layout, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const blob = (bytes: Uint8Array | string, mediaType: string) => {
    const hash = Bun.SHA256.hash(bytes, "hex");
    writeFileSync(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}` as const, size: Buffer.byteLength(bytes) };
  };
  const json = (document: object, kind: string) =>
    blob(JSON.stringify(document), `application/vnd.oci.image.${kind}+json`);

  const emptyTar = new Uint8Array(1_024);
  const layer = blob(Bun.gzipSync(emptyTar), "application/vnd.oci.image.layer.v1.tar+gzip");
  const image = (architecture: string) => {
    const rootfs = { type: "layers", diff_ids: [`sha256:${Bun.SHA256.hash(emptyTar, "hex")}`] };
    const config = json({ architecture, os: "linux", rootfs, config: {} }, "config.v1");
    return json({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer], annotations }, "manifest.v1");
  };
  const manifests = ARCHITECTURES.map((architecture) => ({
    ...image(architecture),
    platform: { architecture, os: "linux" },
  }));
  const index = json({ schemaVersion: 2, mediaType: INDEX, manifests, annotations }, "index.v1");
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [index] }));
  writeFileSync(join(directory, "digests.json"), JSON.stringify({ livenessprobe: index.digest }));

  const [amd64, arm64] = manifests.map(({ digest }) => digest);
  if (amd64 === undefined || arm64 === undefined) throw new Error("two architectures have two digests");
  const standIn = { directory, index: index.digest, images: { amd64, arm64 } };
  writeSboms(standIn);
  return standIn;
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

/** Where the SBOM of the index, or of an architecture's image, is. */
export function sbomPath(directory: string, name: "index" | "amd64" | "arm64"): string {
  return join(directory, `sbom/livenessprobe/sbom-${name === "index" ? name : SBOM_NAMES[name]}.spdx.json`);
}

function writeSboms({ directory, index, images }: StandIn): void {
  mkdirSync(join(directory, "sbom/livenessprobe"), { recursive: true });
  for (const [name, digest] of Object.entries({ index, ...images })) {
    if (name !== "index" && name !== "amd64" && name !== "arm64") continue;
    const described = { SPDXID: "SPDXRef-Image", name: digest, versionInfo: digest, downloadLocation: "NOASSERTION" };
    const checksums = [{ algorithm: "SHA256", checksumValue: digest.replace("sha256:", "") }];
    const document = {
      spdxVersion: "SPDX-2.3",
      dataLicense: "CC0-1.0",
      SPDXID: "SPDXRef-DOCUMENT",
      name: `sbom-${digest}`,
      documentNamespace: "https://registry.example/sbom",
      creationInfo: { created: "2026-11-22T00:00:00Z", creators: ["Tool: stand-in"] },
      documentDescribes: ["SPDXRef-Image"],
      packages: [{ ...described, checksums }],
    };
    writeFileSync(sbomPath(directory, name), JSON.stringify(document));
  }
}
