import { join } from "node:path";
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { ARCHITECTURES, type DebianArchitecture } from "../../scripts/image/inputs/lock";
import type { Variant } from "../../scripts/image/variants";
import { type OciImage, type OciLayout, imageOf, openLayout } from "../../scripts/image/oci/layout";

/** One image of what `bun run image` left in dist/image. */
export interface BuiltCase<V extends Variant = Variant> {
  readonly variant: V;
  readonly architecture: DebianArchitecture;
  readonly image: OciImage;
}

/** @throws where it was not built */
export function openVariant(variant: Variant): OciLayout {
  return openLayout(layoutPath(variant));
}

/** The path of a variant's OCI layout. */
export function layoutPath(variant: Variant): string {
  return join(BUILT_DIRECTORY, variant);
}

/** A row for each image of the variants, for `describe.each`. */
export function builtCases<V extends Variant>(variants: readonly V[]): readonly BuiltCase<V>[] {
  return variants.flatMap((variant) => {
    const layout = openVariant(variant);
    return ARCHITECTURES.map((architecture) => ({ variant, architecture, image: imageOf(layout, architecture) }));
  });
}
