import { runProgram } from "../../scripts/run";
import { tool } from "../../scripts/tools/tool";
import { readLines } from "./lines";
import type { Digest } from "../../scripts/image/oci/layout";
import { waitUntil } from "./wait";

/** A registry on the loopback, in memory. Dispose of it to stop it. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. It speaks HTTP, which crane and cosign try by themselves where the address is a loopback one. */
  readonly address: string;
}

/** @throws where it does not start, with what it said */
export async function startRegistry(): Promise<Registry> {
  const { command, env } = await tool("crane");
  const child = Bun.spawn([...command, "registry", "serve", "--address", "127.0.0.1:0"], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const lines: string[] = [];
  let ended = false;
  const reading = readLines(child.stderr, (line) => lines.push(line)).finally(() => (ended = true));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await Promise.all([reading, child.exited]);
  };
  const portOf = (): string | undefined =>
    lines.map((line) => /serving on port (\d+)/.exec(line)?.[1]).find((port) => port !== undefined);
  try {
    await waitUntil(
      () => portOf() ?? ended,
      () => `the registry to listen; it said: ${lines.join("; ")}`,
    );
    const port = portOf();
    if (port === undefined) throw new Error(`the registry ended early; it said: ${lines.join("; ")}`);
    return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A reference's digest, as the registry has it. */
export async function digestOf(reference: string): Promise<Digest> {
  const digest = await runProgram(await tool("crane"), ["digest", reference]);
  return `sha256:${digest.replace("sha256:", "")}`;
}

interface ReferringManifest {
  readonly subject: { readonly mediaType: string; readonly size: number; readonly digest: Digest };
  readonly annotations?: Readonly<Record<string, string>>;
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const PREDICATE = "dev.sigstore.bundle.predicateType";

/**
 * Hangs signatures and attestations of one image on another, as one would who wants a changed image to pass: the
 * bundles are the same, and what they hang on is told to be the other image. Takes the place of what the other one has.
 *
 * @param repository `127.0.0.1:PORT/name`
 * @param predicateTypes which of them; all where it is not given
 */
export async function copyReferrers(
  repository: string,
  from: Digest,
  to: Digest,
  predicateTypes?: readonly string[],
): Promise<void> {
  const crane = await tool("crane");
  const fetchManifest = async (reference: string): Promise<string> => runProgram(crane, ["manifest", reference]);
  const subject = { mediaType: MANIFEST, size: (await fetchManifest(`${repository}@${to}`)).length, digest: to };
  const list = JSON.parse(await fetchManifest(`${repository}:${listTag(from)}`)) as {
    readonly manifests: readonly { readonly digest: Digest }[];
  };
  const copies: object[] = [];
  for (const descriptor of list.manifests) {
    // oxlint-disable-next-line no-await-in-loop -- few, and in order
    const manifest = JSON.parse(await fetchManifest(`${repository}@${descriptor.digest}`)) as ReferringManifest;
    if (predicateTypes !== undefined && !predicateTypes.includes(manifest.annotations?.[PREDICATE] ?? "")) continue;
    const text = JSON.stringify({ ...manifest, subject });
    const digest = `sha256:${Bun.SHA256.hash(text, "hex")}`;
    // oxlint-disable-next-line no-await-in-loop
    await putManifest(repository, digest, MANIFEST, text);
    copies.push({ ...descriptor, digest, size: text.length });
  }
  await putManifest(repository, listTag(to), INDEX, JSON.stringify({ ...list, manifests: copies }));
}

/** Where OCI 1.1 keeps the list of what refers to an image, for a registry without the referrers API. */
function listTag(digest: Digest): string {
  return digest.replace(":", "-");
}

async function putManifest(repository: string, name: string, mediaType: string, body: string): Promise<void> {
  const [address = "", ...path] = repository.split("/");
  const url = `http://${address}/v2/${path.join("/")}/manifests/${name}`;
  const response = await fetch(url, { method: "PUT", headers: { "content-type": mediaType }, body });
  if (!response.ok) throw new Error(`PUT ${url} is answered with ${response.status}: ${await response.text()}`);
}
