import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryDirectory } from "../../temporary";
import { runProgram } from "../../run";
import { tool } from "../../tools/tool";

/** Whose signature it is: a key's, or the identity that GitHub gives to the workflow that runs this ("keyless"). */
export type Signer = { readonly kind: "key"; readonly path: string } | { readonly kind: "workflow" };

/**
 * Who signs here.
 *
 * @param keyPath a private key of cosign's; its password is in `COSIGN_PASSWORD`
 * @throws where nobody can
 */
export function readSigner(keyPath: string | undefined): Signer {
  if (keyPath === undefined) {
    if (process.env["ACTIONS_ID_TOKEN_REQUEST_URL"]) return { kind: "workflow" };
    throw new Error("There is nothing to sign with: give --key PATH, or run in a GitHub workflow with id-token: write");
  }
  const path = resolve(keyPath);
  if (!existsSync(path)) throw new Error(`There is no key ${path}: cosign generate-key-pair makes one`);
  if (process.env["COSIGN_PASSWORD"] === undefined)
    throw new Error(`COSIGN_PASSWORD is not set: it is the password of ${path}, and empty for a key without one`);
  return { kind: "key", path };
}

/** What an attestation says, in cosign's words for `--type`. */
export type PredicateType = "spdxjson" | "slsaprovenance1";

/** cosign 3, which writes Sigstore bundles. Dispose of it when all is signed. */
export interface Cosign extends Disposable {
  /** Signs an index and every image in it. The reference has a digest, not a tag, which may move. */
  signIndex(reference: string): Promise<void>;
  attest(reference: string, type: PredicateType, predicatePath: string): Promise<void>;
  /** Writes the signature of a file beside it, as a bundle. */
  signFile(path: string, bundlePath: string): Promise<void>;
}

/** @throws where cosign cannot be built, or a signature not be made, with cosign's reason */
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
 * With a key nothing is asked of a service: a signing configuration and a trusted root that name none keep cosign from
 * looking for the public ones. A workflow's identity is worth something by those services alone, so they are cosign's.
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

/** cosign says why in a line that begins with `Error: `, and says it twice. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return `cosign: ${/^(?:.*: )?Error: (.*)$/m.exec(said)?.[1] ?? said}`;
}
