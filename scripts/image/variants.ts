/** How a variant is made: by apko from a definition, or from another variant, with zstd layers. */
export type Making =
  { readonly kind: "apko"; readonly definition: string } | { readonly kind: "zstd"; readonly of: Variant };

export type Variant =
  "livenessprobe" | "livenessprobe-nonroot" | "livenessprobe-dev" | "livenessprobe-zstd" | "livenessprobe-nonroot-zstd";

/** In the order of building. All definitions include the first one. */
const MAKINGS: readonly (readonly [Variant, Making])[] = [
  ["livenessprobe", { kind: "apko", definition: "apko.yaml" }],
  ["livenessprobe-nonroot", { kind: "apko", definition: "deploy/image/nonroot.yaml" }],
  ["livenessprobe-dev", { kind: "apko", definition: "deploy/image/dev.yaml" }],
  ["livenessprobe-zstd", { kind: "zstd", of: "livenessprobe" }],
  ["livenessprobe-nonroot-zstd", { kind: "zstd", of: "livenessprobe-nonroot" }],
];

export const VARIANTS: ReadonlyMap<Variant, Making> = new Map(MAKINGS);
export const VARIANT_NAMES: readonly Variant[] = [...VARIANTS.keys()];

/** The suffix of the variant's tags: `-nonroot`, empty for the default variant. */
export function suffixOf(variant: Variant): string {
  return variant.replace("livenessprobe", "");
}

/**
 * The variant of a tag, by its suffix.
 *
 * @param tag `0.1.0-nonroot`; undefined if the image is named by its digest
 * @param wanted `--variant`, if it was given
 * @throws where the two contradict each other: users would get another image than the tag says
 */
export function variantFor(tag: string | undefined, wanted: Variant | undefined): Variant {
  const named = VARIANT_NAMES.filter((name) => suffixOf(name) !== "" && tag?.endsWith(suffixOf(name)) === true);
  const ofTag = named.toSorted((one, other) => other.length - one.length)[0];
  if (ofTag !== undefined && wanted !== undefined && ofTag !== wanted)
    throw new Error(`The tag ${tag} is of ${ofTag}, and --variant says ${wanted}: change one of them`);
  return wanted ?? ofTag ?? "livenessprobe";
}
