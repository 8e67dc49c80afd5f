import { join } from "node:path";
import { runProgram } from "../../scripts/run";
import { tool } from "../../scripts/tools/tool";
import { type Ended, runToEnd } from "./run-to-end";

const ROOT = join(import.meta.dirname, "../..");

/** Runs a script of `scripts/`, as its line in package.json does. */
export async function runScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ended> {
  return runToEnd([process.execPath, join(ROOT, "scripts", name), ...args], env);
}

/** @throws where it did not end with 0, with what it said */
export function succeeded(ended: Ended): Ended {
  if (ended.code !== 0) throw new Error(`ended with ${ended.code}: ${ended.stderr}`);
  return ended;
}

const DEFAULT_VARIANT = "livenessprobe";

/** `bun run image:push`, of a directory that is as `dist/image`. */
export async function pushBuilt(from: string, reference: string, variant = DEFAULT_VARIANT): Promise<Ended> {
  return runScript("image/push.ts", ["--from", from, "--image", reference, "--variant", variant], {});
}

/**
 * `bun run image:sign`, of a directory that is as `dist/image`.
 *
 * @param revision what this tree is told to be at
 */
export async function signBuilt(
  from: string,
  reference: string,
  keys: KeyPair,
  revision: string,
  variant = DEFAULT_VARIANT,
): Promise<Ended> {
  const args = ["--from", from, "--image", reference, "--key", keys.privateKey, "--variant", variant];
  return runScript("image/sign.ts", args, { ...passwordOf(keys), BUILD_COMMIT: revision });
}

export async function cosign(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { command, env: own } = await tool("cosign");
  return runToEnd([...command, ...args], { ...own, ...env });
}

/** A key pair of cosign's. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly password: string;
}

export function passwordOf({ password }: KeyPair): Readonly<Record<string, string>> {
  return { COSIGN_PASSWORD: password };
}

/** For `cosign verify` and its like. A signature with a key is in no log. */
export function byKey({ publicKey }: KeyPair): readonly string[] {
  return ["--key", publicKey, "--insecure-ignore-tlog=true"];
}

/** For `cosign sign` and `attest`, of what `image:sign` would not; without a service. */
export async function signingBy(keys: KeyPair, directory: string): Promise<readonly string[]> {
  return ["--yes", "--key", keys.privateKey, ...(await withoutServices(directory))];
}

/**
 * For `cosign sign` and `attest`: a signing configuration and a trusted root that name no service.
 *
 * @param authority for `cosign trusted-root create`
 */
export async function withoutServices(
  directory: string,
  authority: readonly string[] = [],
): Promise<readonly string[]> {
  const [config, root] = [join(directory, "signing-config.json"), join(directory, "trusted-root.json")];
  await Bun.write(config, succeeded(await cosign(["signing-config", "create"])).stdout);
  await Bun.write(root, succeeded(await cosign(["trusted-root", "create", ...authority])).stdout);
  return ["--signing-config", config, "--trusted-root", root];
}

/** Makes a key pair in a directory: `NAME.key` and `NAME.pub`. */
export async function generateKeyPair(directory: string, name: string): Promise<KeyPair> {
  const password = `of ${name}`;
  const prefix = join(directory, name);
  const env = { COSIGN_PASSWORD: password };
  await runProgram(await tool("cosign"), ["generate-key-pair", "--output-key-prefix", prefix], { env });
  return { privateKey: `${prefix}.key`, publicKey: `${prefix}.pub`, password };
}
