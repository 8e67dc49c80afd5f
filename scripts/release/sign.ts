import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openCosign, readSigner } from "../image/cosign";

const RELEASE_DIRECTORY = join(import.meta.dirname, "../../dist/release");
const BUNDLE = ".sigstore.json";

/** Signs each file of a release, and leaves the signature beside it, as a Sigstore bundle: `NAME.sigstore.json`. */
async function sign(): Promise<void> {
  const { values: flags } = parseArgs({
    options: { key: { type: "string" }, from: { type: "string", default: RELEASE_DIRECTORY } },
  });
  const names = readdirSync(flags.from, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(BUNDLE))
    .map(({ name }) => name)
    .toSorted();
  if (names.length === 0) throw new Error(`There is nothing to sign in ${flags.from}: bun run image builds it`);
  using cosign = await openCosign(readSigner(flags.key));
  for (const name of names) {
    const path = join(flags.from, name);
    await cosign.signFile(path, path + BUNDLE);
    console.log(`${name}${BUNDLE}`);
  }
}

try {
  await sign();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
