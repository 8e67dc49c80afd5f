import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type TarEntry, readTar } from "./tar";

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

export interface OciLayout {
  /** Of what index.json names: an index of several images, or one image. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly images: readonly OciImage[];
}

/** The image of one platform. */
export interface OciImage {
  readonly digest: Digest;
  /** `amd64`, `arm64` */
  readonly architecture: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config: ImageConfig;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  /**
   * The files that a container sees, by absolute path: all layers, each over the ones below. Read on the first call,
   * and kept.
   *
   * @throws where a layer removes a file: no layer of ours does
   */
  files(): ReadonlyMap<string, ImageFile>;
}

export interface Layer {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The uncompressed tar. Reads it, and checks its digest, at each call. */
  tar(): Uint8Array;
}

/** `path` is absolute. */
export type ImageFile = TarEntry;

/** Some fields of https://github.com/opencontainers/image-spec/blob/main/config.md. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly config: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly rootfs: { readonly diff_ids: readonly Digest[] };
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface Index {
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/**
 * Opens an OCI layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) whose index.json names
 * one thing. Checks the size and digest of each blob that it reads.
 *
 * @throws where it is no layout, or a blob is missing or does not have its digest
 */
export function openLayout(directory: string): OciLayout {
  const top = topOf(directory);
  const { digest, mediaType } = top;
  if (mediaType !== INDEX_TYPE) {
    const image = openImage(directory, top);
    return { digest, mediaType, annotations: image.annotations, images: [image] };
  }
  const { manifests, annotations = {} } = readJson<Index>(directory, top);
  return { digest, mediaType, annotations, images: manifests.map((image) => openImage(directory, image)) };
}

/** What a layout's index.json names. */
export function topOf(directory: string): Descriptor {
  const index = join(directory, "index.json");
  if (!existsSync(index))
    throw new Error(`${directory} is not an OCI layout: it has no index.json (run bun run image)`);
  const { manifests }: Index = JSON.parse(readFileSync(index, "utf8"));
  const [top] = manifests;
  if (top === undefined || manifests.length !== 1)
    throw new Error(`${index} names ${manifests.length} things, and should name one`);
  return top;
}

/**
 * The image of one architecture.
 *
 * @param architecture `amd64`, `arm64`
 * @throws where the layout has none
 */
export function imageOf(layout: OciLayout, architecture: string): OciImage {
  const image = layout.images.find((candidate) => candidate.architecture === architecture);
  if (image !== undefined) return image;
  const there = layout.images.map((candidate) => candidate.architecture).join(", ");
  throw new Error(`There is no image for ${architecture}, only for ${there}`);
}

/**
 * The content of a regular file. Follows a link at the end of the path.
 *
 * @param path absolute
 * @throws where there is none
 */
export function readImageFile(image: OciImage, path: string): Uint8Array {
  return read(image.files(), path, new Set());
}

function read(files: ReadonlyMap<string, ImageFile>, path: string, seen: ReadonlySet<string>): Uint8Array {
  const file = files.get(path);
  if (file?.type === "file") return file.content;
  if (file?.type !== "symlink" || seen.has(path)) throw new Error(`The image has no file ${path}`);
  return read(files, resolve(dirname(path), file.target), new Set([...seen, path]));
}

function openImage(directory: string, descriptor: Descriptor): OciImage {
  const manifest = readJson<Manifest>(directory, descriptor);
  const config = readJson<ImageConfig>(directory, manifest.config);
  const layers = manifest.layers.map((layer) => ({
    digest: layer.digest,
    mediaType: layer.mediaType,
    tar: () => decompress(readBlob(directory, layer), layer.mediaType),
  }));
  let files: ReadonlyMap<string, ImageFile> | undefined;
  return {
    digest: descriptor.digest,
    architecture: config.architecture,
    annotations: manifest.annotations ?? {},
    config,
    layers,
    files: () => (files ??= merge(layers)),
  };
}

function merge(layers: readonly Layer[]): ReadonlyMap<string, ImageFile> {
  const entries = layers.flatMap((layer) => readTar(layer.tar()));
  const whiteout = entries.find(({ path }) => /(^|\/)\.wh\./.test(path));
  if (whiteout !== undefined) throw new Error(`A layer removes a file with /${whiteout.path}; no image of ours does`);
  return new Map(entries.map((entry) => [`/${entry.path}`, { ...entry, path: `/${entry.path}` }]));
}

function decompress(blob: Uint8Array<ArrayBuffer>, mediaType: string): Uint8Array {
  if (mediaType.endsWith("gzip")) return Bun.gunzipSync(blob);
  if (mediaType.endsWith("zstd")) return Bun.zstdDecompressSync(blob);
  return blob;
}

/** @throws where the blob does not have its digest and size */
export function readBlob(directory: string, { digest, size }: Descriptor): Uint8Array<ArrayBuffer> {
  const path = join(directory, "blobs", digest.replace(":", "/"));
  const blob = new Uint8Array(readFileSync(path));
  const actual = `sha256:${Bun.SHA256.hash(blob, "hex")}`;
  if (blob.length !== size || actual !== digest)
    throw new Error(`${path} is ${actual} with ${blob.length} bytes, and should be ${digest} with ${size}`);
  return blob;
}

/** Reads an OCI document. Its digest proves that it is what was built, so its fields are not checked. */
export function readJson<T>(directory: string, descriptor: Descriptor): T {
  const document: T = JSON.parse(new TextDecoder().decode(readBlob(directory, descriptor)));
  return document;
}
