import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, openLayout } from "./layout";
import { VARIANT_NAMES, type Variant } from "../variants";

/** Where `bun run image` writes the images. */
export const BUILT_DIRECTORY = join(import.meta.dirname, "../../../dist/image");

/** The flag of every script that reads this directory. */
export const FROM_FLAG = { value: "DIRECTORY", help: "What `bun run image` built. Default: dist/image" } as const;

/** One variant of what `bun run image` built. */
export interface BuiltImage {
  readonly variant: Variant;
  /** The path of its OCI layout. */
  readonly layout: string;
  /** The index is signed, and so is the image of each architecture. */
  readonly index: Signable;
  readonly images: readonly Signable[];
  /** Of the index, such as `org.opencontainers.image.revision`. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Something with a digest and an SBOM. */
export interface Signable {
  /** `index`, or an architecture as Go names it: `amd64`, `arm64`. */
  readonly name: string;
  readonly digest: Digest;
  /** The path of its SBOM, SPDX as JSON. */
  readonly sbom: string;
}

/** @throws where no variant has this name */
export function readVariant(name: string): Variant {
  const variant = VARIANT_NAMES.find((known) => known === name);
  if (variant === undefined) throw new Error(`There is no variant ${name}, only ${VARIANT_NAMES.join(", ")}`);
  return variant;
}

const SBOM_NAMES: Readonly<Record<string, string>> = { index: "index", amd64: "x86_64", arm64: "aarch64" };

/**
 * Opens one variant of what `bun run image` built, and checks the digests.
 *
 * @throws where it is missing, or its digest is not the one in `digests.json`
 */
export function openBuilt(directory: string, variant: Variant): BuiltImage {
  const layout = join(directory, variant);
  const { digest, annotations, images } = openLayout(layout);
  const recorded = readDigests(directory)[variant];
  if (digest !== recorded)
    throw new Error(`${layout} is ${digest}, and digests.json has ${recorded}: build it again with bun run image`);
  const signable = (name: string, of: Digest): Signable => ({
    name,
    digest: of,
    sbom: join(directory, "sbom", variant, `sbom-${SBOM_NAMES[name] ?? name}.spdx.json`),
  });
  return {
    variant,
    layout,
    index: signable("index", digest),
    images: images.map((image) => signable(image.architecture, image.digest)),
    annotations,
  };
}

/** Variant -> the digest of its index. */
export function readDigests(directory: string): Readonly<Record<string, string>> {
  const path = join(directory, "digests.json");
  if (!existsSync(path)) throw new Error(`There is no ${path}: build the image with bun run image`);
  // Written by `bun run image`.
  return JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, string>>;
}

interface Spdx {
  readonly documentDescribes?: readonly string[];
  readonly packages?: readonly {
    readonly SPDXID: string;
    readonly checksums?: readonly { readonly checksumValue: string }[];
  }[];
}

/**
 * Checks that an SBOM is that of the image: an attestation would bind a wrong document to the digest too.
 *
 * @throws where there is none, or it describes another image
 */
export function checkSbom({ name, digest, sbom }: Signable): void {
  if (!existsSync(sbom)) throw new Error(`There is no SBOM ${sbom}: build the image with bun run image`);
  // An SPDX 2.3 document.
  const { documentDescribes = [], packages = [] } = JSON.parse(readFileSync(sbom, "utf8")) as Spdx;
  const described = packages.filter(({ SPDXID }) => documentDescribes.includes(SPDXID));
  const hashes = described.flatMap(({ checksums = [] }) => checksums.map(({ checksumValue }) => checksumValue));
  if (hashes.includes(digest.replace("sha256:", ""))) return;
  const what = hashes.length === 0 ? "nothing with a checksum" : hashes.join(", ");
  throw new Error(`${sbom} describes ${what}, and not the ${name}, ${digest}: build the image with bun run image`);
}
