import { createHash } from "node:crypto";
import { cached } from "../../cache";
import { progress } from "../../command";

export interface Digest {
  readonly algorithm: "sha256" | "sha512";
  /** In hexadecimal. */
  readonly value: string;
}

/** After this time without an answer, the next address is tried. */
const FETCH_BOUND_MS = 120_000;

/**
 * Fetches a file with this digest from the first address that has it, and keeps it in the cache.
 *
 * @returns its path
 * @throws where no address has it, with the answer of each
 */
export async function fetchFile(name: string, urls: readonly string[], digest: Digest): Promise<string> {
  return cached([digest.algorithm, digest.value], name, async (path) => {
    progress(`Fetching ${name}`);
    const refusals: string[] = [];
    for (const url of urls) {
      const answer = await get(url, digest);
      if (answer.kind === "there") return Bun.write(path, answer.bytes);
      refusals.push(`${url}: ${answer.why}`);
    }
    throw new Error(`${name} cannot be had: ${refusals.join("; ")}`);
  });
}

type Answer =
  { readonly kind: "there"; readonly bytes: Uint8Array } | { readonly kind: "refused"; readonly why: string };

async function get(url: string, { algorithm, value }: Digest): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_BOUND_MS) });
    if (!response.ok) return { kind: "refused", why: `HTTP ${response.status}` };
    const bytes = await response.bytes();
    const seen = createHash(algorithm).update(bytes).digest("hex");
    if (seen === value) return { kind: "there", bytes };
    return { kind: "refused", why: `its ${algorithm} is ${seen}, and ${value} is locked` };
  } catch (error) {
    return { kind: "refused", why: error instanceof Error ? error.message : String(error) };
  }
}
