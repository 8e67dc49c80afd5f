import { runCommand } from "../command";
import { type ImageFile, type OciImage, type OciLayout, openLayout } from "./oci/layout";

/**
 * The differences between two builds of an image, one in a line: first the files, then the layers and the
 * configuration. None if the digests are the same.
 */
export function differences(a: OciLayout, b: OciLayout): readonly string[] {
  if (a.digest === b.digest) return [];
  const images = a.images.flatMap((image) => {
    const other = b.images.find(({ architecture }) => architecture === image.architecture);
    return other === undefined ? [`${image.architecture}: only in the first`] : imageDifferences(image, other);
  });
  const annotations = fieldDifferences("index annotation", a.annotations, b.annotations);
  const found = [...images, ...annotations];
  return found.length > 0 ? found : [`index: ${a.digest} and ${b.digest}`];
}

function imageDifferences(a: OciImage, b: OciImage): readonly string[] {
  if (a.digest === b.digest) return [];
  const files = fileDifferences(a.files(), b.files());
  const layers = a.layers.flatMap(({ digest }, at) => {
    const other = b.layers[at]?.digest;
    return digest === other ? [] : [`layer ${at + 1} of ${a.layers.length}: ${digest} and ${other ?? "none"}`];
  });
  const config = fieldDifferences("config", a.config.config, b.config.config);
  const annotations = fieldDifferences("annotation", a.annotations, b.annotations);
  return [...files, ...config, ...annotations, ...layers].map((line) => `${a.architecture}: ${line}`);
}

function fileDifferences(a: ReadonlyMap<string, ImageFile>, b: ReadonlyMap<string, ImageFile>): readonly string[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [one, other] = [a.get(path), b.get(path)];
    if (one === undefined) return [`${path}: only in the second`];
    if (other === undefined) return [`${path}: only in the first`];
    return fieldDifferences(path, describe(one), describe(other));
  });
}

/** A file's properties, with the hash of its content. */
function describe(file: ImageFile): Readonly<Record<string, unknown>> {
  if (file.type !== "file") return { ...file };
  const { content, ...rest } = file;
  return { ...rest, size: content.length, sha256: Bun.SHA256.hash(content, "hex") };
}

function fieldDifferences(where: string, a: object, b: object): readonly string[] {
  const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((key) => {
    const values = [one.get(key), other.get(key)].map((value) => JSON.stringify(value));
    return values[0] === values[1] ? [] : [`${where}: ${key} is ${values[0]} and ${values[1]}`];
  });
}

function compare(_: object, [first = "", second = ""]: readonly string[]): number {
  const found = differences(openLayout(first), openLayout(second));
  for (const line of found) console.log(line);
  console.log(found.length === 0 ? "the same digest" : `${found.length} differences`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main)
  await runCommand({
    name: "bun scripts/image/compare.ts",
    about:
      "Says where two builds of an image differ. Exits with 0 where their digests are the same, and with 1 where not.",
    words: ["LAYOUT", "LAYOUT"],
    flags: {},
    run: compare,
  });
