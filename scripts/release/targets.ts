import { readReference } from "../image/oci/reference";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { openBuilt, readDigests, readVariant } from "../image/oci/built";
import { type Variant, suffixOf } from "../image/variants";

/** A variant that was built, and where it goes. */
export interface Target {
  readonly variant: Variant;
  /** Its OCI layout. */
  readonly layout: string;
  /** Of its index. */
  readonly digest: string;
  /** `HOST/NAME:TAG` with the variant behind it: `:0.1.0`, `:0.1.0-nonroot`. */
  readonly reference: string;
}

/**
 * All that `bun run image` built, and the references that it is published under.
 *
 * @param directory `dist/image`
 * @throws where it is not there, or a blob is another than its digest says
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
 * The digest that a registry has under a reference; undefined where it has none.
 *
 * @throws where the registry does not say
 */
export async function digestAt(reference: string): Promise<string | undefined> {
  try {
    return await runProgram(await tool("crane"), ["digest", reference]);
  } catch (error) {
    // https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes, and the answer to HEAD, which has no body
    if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found/.test(String(error))) return undefined;
    throw error;
  }
}
