import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type TarEntry, readTar } from "./tar";

/** A digest as OCI writes it: `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

export interface OciLayout {
  /** Of what index.json names: a multi-architecture index, or a single image. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly images: readonly OciImage[];
}

/** The image of one platform. */
export interface OciImage {
  readonly digest: Digest;
  readonly os: string;
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  /**
   * What a container sees: all layers, one over the other, by absolute path (`/usr/bin/livenessprobe`; `/` is the root,
   * where a layer names it). Read on the first call, and kept.
   */
  files(): ReadonlyMap<string, ImageFile>;
}

export interface Layer {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Compressed, in bytes. */
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** The uncompressed tar, checked against the digest; unpacked at each call. */
  tar(): Uint8Array;
}

/** A hard link is what it links to: a file. `path` is absolute. */
export type ImageFile = Exclude<TarEntry, { readonly type: "hardlink" }>;

/** The fields of https://github.com/opencontainers/image-spec/blob/main/config.md that an image of ours has. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly created?: string;
  readonly author?: string;
  readonly config: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Volumes?: Readonly<Record<string, object>>;
    readonly Labels?: Readonly<Record<string, string>>;
    /** Docker's own, which OCI does not have. */
    readonly Healthcheck?: object;
  };
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly { readonly created_by?: string; readonly comment?: string }[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const INDEX = "application/vnd.oci.image.index.v1+json";

/**
 * Opens an OCI layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) whose index.json names
 * one thing. Each blob that is read is held against its size and digest.
 *
 * @throws where it is no layout, a blob is missing or is another than its digest says
 */
export function openLayout(directory: string): OciLayout {
  const index = join(directory, "index.json");
  if (!existsSync(index)) throw new Error(`${directory} is no OCI layout: it has no index.json (run bun run image)`);
  const { manifests } = parse<Index>(readFileSync(index));
  const [top] = manifests;
  if (top === undefined || manifests.length !== 1)
    throw new Error(`${index} names ${manifests.length} things, and this reads a layout with one`);
  const common = { digest: top.digest, mediaType: top.mediaType };
  if (top.mediaType !== INDEX) {
    const image = openImage(directory, top);
    return { ...common, annotations: image.annotations, images: [image] };
  }
  const inner = parse<Index>(readBlob(directory, top));
  const images = inner.manifests.map((descriptor) => openImage(directory, descriptor));
  return { ...common, annotations: inner.annotations ?? {}, images };
}

/**
 * The image of one architecture.
 *
 * @param architecture as Go names it: `amd64`, `arm64`
 * @throws where the layout has none
 */
export function imageOf(layout: OciLayout, architecture: string): OciImage {
  const image = layout.images.find((candidate) => candidate.architecture === architecture);
  if (image !== undefined) return image;
  const there = layout.images.map((candidate) => candidate.architecture).join(", ");
  throw new Error(`There is no image for ${architecture}, only for ${there}`);
}

/**
 * The content of a regular file, links followed in its last component.
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
  const manifest = parse<Manifest>(readBlob(directory, descriptor));
  const config = parse<ImageConfig>(readBlob(directory, manifest.config));
  const layers = manifest.layers.map((layer) => ({
    digest: layer.digest,
    mediaType: layer.mediaType,
    size: layer.size,
    annotations: layer.annotations ?? {},
    tar: () => decompress(readBlob(directory, layer), layer.mediaType),
  }));
  let files: ReadonlyMap<string, ImageFile> | undefined;
  return {
    digest: descriptor.digest,
    os: config.os,
    architecture: config.architecture,
    annotations: manifest.annotations ?? {},
    config,
    configDigest: manifest.config.digest,
    layers,
    files: () => (files ??= applyLayers(layers.map((layer) => readTar(layer.tar())))),
  };
}

/** Whiteouts as https://github.com/opencontainers/image-spec/blob/main/layer.md has them. */
export function applyLayers(layers: readonly (readonly TarEntry[])[]): ReadonlyMap<string, ImageFile> {
  const files = new Map<string, ImageFile>();
  for (const entries of layers) {
    // A whiteout removes files of the layers below, wherever in the tar it is.
    for (const entry of entries) whiteOut(files, `/${entry.path}`);
    for (const entry of entries) {
      const path = `/${entry.path}`;
      if (baseName(path).startsWith(WHITEOUT)) continue;
      if (entry.type !== "directory") removeBelow(files, path);
      files.set(path, entry.type === "hardlink" ? linked(files, path, entry.target) : { ...entry, path });
    }
  }
  return files;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

function whiteOut(files: Map<string, ImageFile>, path: string): void {
  const name = baseName(path);
  if (!name.startsWith(WHITEOUT)) return;
  const directory = path.slice(0, -name.length - 1);
  const gone = name === OPAQUE ? directory : `${directory}/${name.slice(WHITEOUT.length)}`;
  removeBelow(files, gone);
  if (name !== OPAQUE) files.delete(gone);
}

function removeBelow(files: Map<string, ImageFile>, path: string): void {
  for (const candidate of files.keys()) if (candidate.startsWith(`${path}/`)) files.delete(candidate);
}

function linked(files: ReadonlyMap<string, ImageFile>, path: string, target: string): ImageFile {
  const file = files.get(`/${target}`);
  if (file === undefined) throw new Error(`${path} is a hard link to /${target}, which no layer has`);
  return { ...file, path };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function decompress(blob: Uint8Array<ArrayBuffer>, mediaType: string): Uint8Array {
  if (mediaType.endsWith("gzip")) return Bun.gunzipSync(blob);
  if (mediaType.endsWith("zstd")) return Bun.zstdDecompressSync(blob);
  return blob;
}

function readBlob(directory: string, { digest, size }: Descriptor): Uint8Array<ArrayBuffer> {
  const path = join(directory, "blobs", digest.replace(":", "/"));
  const blob = new Uint8Array(readFileSync(path));
  const actual = `sha256:${Bun.SHA256.hash(blob, "hex")}`;
  if (blob.length !== size || actual !== digest)
    throw new Error(`${path} is ${actual} with ${blob.length} bytes, and ${digest} with ${size} is what its name says`);
  return blob;
}

/** An OCI document. Its digest proves that it is what was built, so its fields are not checked one by one. */
function parse<T>(bytes: Uint8Array): T {
  const document: T = JSON.parse(new TextDecoder().decode(bytes));
  return document;
}
