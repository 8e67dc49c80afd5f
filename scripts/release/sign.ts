import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Values, progress, runCommand } from "../command";
import { openCosign, readSigner } from "../image/signing/cosign";
import { BUNDLE, RELEASE_DIRECTORY } from "./files";

const FLAGS = {
  key: { value: "PATH", help: "As for `bun run image:sign`." },
  from: { value: "DIRECTORY", help: "The files to sign. Default: dist/release" },
} as const;

/** Signs each file of a release. Writes the signature beside it, as a Sigstore bundle: `NAME.sigstore.json`. */
async function sign({ key, from = RELEASE_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  const names = readdirSync(from, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(BUNDLE))
    .map(({ name }) => name)
    .toSorted();
  if (names.length === 0) throw new Error(`There is nothing to sign in ${from}: bun run image builds it`);
  using cosign = await openCosign(readSigner(key));
  for (const name of names) {
    const path = join(from, name);
    progress(`Signing ${name}`);
    await cosign.signFile(path, path + BUNDLE);
    console.log(`${name}${BUNDLE}`);
  }
}

await runCommand({
  name: "bun run release:sign",
  about: "Signs each file of a release. The signature goes beside it, as a Sigstore bundle: NAME.sigstore.json.",
  flags: FLAGS,
  run: sign,
});
