/** How a variant is made: by apko of a definition, or of another one with its layers in zstd. */
export type Making =
  { readonly kind: "apko"; readonly definition: string } | { readonly kind: "zstd"; readonly of: Variant };

export type Variant =
  "livenessprobe" | "livenessprobe-nonroot" | "livenessprobe-dev" | "livenessprobe-zstd" | "livenessprobe-nonroot-zstd";

/** In the order of building. All definitions but the first include it; zstd is a fifth less to fetch. */
const MAKINGS: readonly (readonly [Variant, Making])[] = [
  ["livenessprobe", { kind: "apko", definition: "apko.yaml" }],
  ["livenessprobe-nonroot", { kind: "apko", definition: "deploy/image/nonroot.yaml" }],
  ["livenessprobe-dev", { kind: "apko", definition: "deploy/image/dev.yaml" }],
  ["livenessprobe-zstd", { kind: "zstd", of: "livenessprobe" }],
  ["livenessprobe-nonroot-zstd", { kind: "zstd", of: "livenessprobe-nonroot" }],
];

export const VARIANTS: ReadonlyMap<Variant, Making> = new Map(MAKINGS);
export const VARIANT_NAMES: readonly Variant[] = [...VARIANTS.keys()];
