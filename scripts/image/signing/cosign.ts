import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryDirectory } from "../../temporary";
import { runProgram } from "../../run";
import { tool } from "../../tools/tool";
import type { OPENVEX } from "../vex/document";

/** Who signs: a key, or the GitHub workflow that runs this, with its own identity ("keyless"). */
export type Signer = { readonly kind: "key"; readonly path: string } | { readonly kind: "workflow" };

/**
 * @param keyPath a private key of cosign; its password is in `COSIGN_PASSWORD`
 * @throws where there is neither a key nor a workflow
 */
export function readSigner(keyPath: string | undefined): Signer {
  if (keyPath === undefined) {
    if (process.env["ACTIONS_ID_TOKEN_REQUEST_URL"]) return { kind: "workflow" };
    throw new Error("There is no key to sign with: give --key PATH, or run in a GitHub workflow with id-token: write");
  }
  const path = resolve(keyPath);
  if (!existsSync(path)) throw new Error(`There is no key ${path}: cosign generate-key-pair makes one`);
  if (process.env["COSIGN_PASSWORD"] === undefined)
    throw new Error(`COSIGN_PASSWORD is not set: it is the password of ${path}, or empty for a key without a password`);
  return { kind: "key", path };
}

/** The `--type` of an attestation. */
export type PredicateType = "spdxjson" | "slsaprovenance1" | typeof OPENVEX;

/** cosign 3, which writes Sigstore bundles. Dispose of it after the last signature. */
export interface Cosign extends Disposable {
  /** Signs an index and every image in it. The reference must have a digest, because a tag may move. */
  signIndex(reference: string): Promise<void>;
  attest(reference: string, type: PredicateType, predicatePath: string): Promise<void>;
  /** Writes the signature of a file, as a bundle. */
  signFile(path: string, bundlePath: string): Promise<void>;
}

/** @throws where cosign cannot be built, or where signing fails, with cosign's reason */
export async function openCosign(signer: Signer): Promise<Cosign> {
  const program = await tool("cosign");
  const cosign = async (...args: readonly string[]): Promise<string> => {
    try {
      return await runProgram(program, args);
    } catch (error) {
      throw new Error(reasonOf(error), { cause: error });
    }
  };
  const directory = temporaryDirectory();
  try {
    const how = ["--yes", ...(await signingArguments(signer, directory.path, cosign))];
    return {
      signIndex: async (reference) => void (await cosign("sign", ...how, "--recursive", reference)),
      attest: async (reference, type, path) =>
        void (await cosign("attest", ...how, "--type", type, "--predicate", path, reference)),
      signFile: async (path, bundle) => void (await cosign("sign-blob", ...how, "--bundle", bundle, path)),
      [Symbol.dispose]: () => directory[Symbol.dispose](),
    };
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

/**
 * With a key, cosign must not use the public services: it is given a signing configuration and a trusted root that name
 * none. The identity of a workflow needs these services, so there cosign's defaults stay.
 */
async function signingArguments(
  signer: Signer,
  directory: string,
  cosign: (...args: readonly string[]) => Promise<string>,
): Promise<readonly string[]> {
  if (signer.kind === "workflow") return [];
  const [config, root] = [join(directory, "signing-config.json"), join(directory, "trusted-root.json")];
  await Bun.write(config, await cosign("signing-config", "create"));
  await Bun.write(root, await cosign("trusted-root", "create"));
  return ["--key", signer.path, "--signing-config", config, "--trusted-root", root];
}

/** cosign prints the reason twice, in lines that begin with `Error: `. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return `cosign: ${/^(?:.*: )?Error: (.*)$/m.exec(said)?.[1] ?? said}`;
}
