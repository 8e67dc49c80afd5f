import { readReference } from "../image/oci/reference";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { openBuilt, readDigests, readVariant } from "../image/oci/built";
import { type Variant, suffixOf } from "../image/variants";

/** A variant that was built, and its reference. */
export interface Target {
  readonly variant: Variant;
  /** Its OCI layout. */
  readonly layout: string;
  /** Of its index. */
  readonly digest: string;
  /** `HOST/NAME:TAG` with the suffix of the variant: `:0.1.0`, `:0.1.0-nonroot`. */
  readonly reference: string;
}

/**
 * All variants that `bun run image` built, and their references.
 *
 * @param directory `dist/image`
 * @throws where there are none, or a blob does not have its digest
 */
export function readTargets(directory: string, repository: string, tag: string): readonly Target[] {
  readReference(`${repository}:${tag}`);
  return Object.keys(readDigests(directory)).map((name) => {
    const variant = readVariant(name);
    const { layout, index } = openBuilt(directory, variant);
    return { variant, layout, digest: index.digest, reference: `${repository}:${tag}${suffixOf(variant)}` };
  });
}

/**
 * The digest of a reference; undefined if the registry does not have it.
 *
 * @throws where the registry does not answer
 */
export async function digestAt(reference: string): Promise<string | undefined> {
  try {
    return await runProgram(await tool("crane"), ["digest", reference]);
  } catch (error) {
    // https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes; the answer to HEAD has no body
    if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found/.test(String(error))) return undefined;
    throw error;
  }
}
