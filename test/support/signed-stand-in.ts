import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../../scripts/run";
import { tool } from "../../scripts/tools/tool";
import type { Digest } from "../../scripts/image/oci/layout";
import { digestOf, type Registry, startRegistry } from "./registry";
import { type KeyPair, generateKeyPair, pushBuilt, signBuilt, succeeded } from "./signing";
import { type StandIn, writeStandIn } from "./stand-in-image";
import { temporaryDirectory } from "../../scripts/temporary";

/** The revision that the stand-in names. */
export const REVISION = "0123456789abcdef0123456789abcdef01234567";

/** A registry with a stand-in for `dist/image`, pushed and signed as the scripts do it. */
export interface SignedStandIn extends AsyncDisposable {
  /** For files of a test's own. */
  readonly directory: string;
  readonly registry: Registry;
  readonly ours: KeyPair;
  readonly strangers: KeyPair;
  readonly standIn: StandIn;
  /** `127.0.0.1:PORT/signed`; the index has the tag `1`. */
  readonly repository: string;
}

export async function signStandIn(): Promise<SignedStandIn> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(temporaryDirectory()).path;
  const registry = cleanup.use(await startRegistry());
  const ours = await generateKeyPair(directory, "ours");
  const strangers = await generateKeyPair(directory, "strangers");
  mkdirSync(join(directory, "built"));
  const standIn = writeStandIn(join(directory, "built"), REVISION);
  const repository = `${registry.address}/signed`;
  succeeded(await pushBuilt(standIn.directory, `${repository}:1`));
  succeeded(await signBuilt(standIn.directory, `${repository}:1`, ours, REVISION));
  const later = cleanup.move();
  const dispose = async (): Promise<void> => later.disposeAsync();
  return { directory, registry, ours, strangers, standIn, repository, [Symbol.asyncDispose]: dispose };
}

/** Pushes an image that differs from another in a label alone, and has neither signature nor attestation. */
export async function pushChanged(repository: string, digest: Digest, label: string): Promise<Digest> {
  const tag = `${repository}:${label.replaceAll(/[^a-z]+/g, "-")}`;
  const args = ["mutate", `${repository}@${digest}`, "--label", `changed=${label}`, "-t", tag];
  await runProgram(await tool("crane"), args);
  return digestOf(tag);
}
