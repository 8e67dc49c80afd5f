import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Apk } from "../../../../scripts/image/apk";
import { withSbom } from "../../../../scripts/image/contents/sbom";
import type { SpdxDocument } from "../../../../scripts/image/contents/spdx";
import { temporaryDirectory } from "../../../../scripts/temporary";

const APK: Apk = {
  name: "an-apk",
  version: "1.2",
  description: "An apk",
  licence: "Apache-2.0",
  time: new Date("2026-01-02T03:04:05Z"),
  entries: [
    { kind: "directory", path: "/usr/bin" },
    { kind: "text", path: "/etc/passwd", text: "root" },
    { kind: "text", path: "/etc/hello", text: "hello" },
    { kind: "link", path: "/bin", target: "usr/bin" },
  ],
};
const HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

test("an apk gets an SBOM at its end, where apko looks for it, dated as the apk is", () => {
  const { entries, ...rest } = withSbom(APK, "amd64", {});
  expect<Apk>({ ...rest, entries: entries.slice(0, -1) }).toEqual(APK);
  expect(entries.at(-1)).toMatchObject({ kind: "text", path: "/var/lib/db/sbom/an-apk-1.2-r0.spdx.json" });
  expect(sbomOf(APK)).toMatchObject({
    name: "an-apk-1.2-r0",
    creationInfo: { created: "2026-01-02T03:04:05Z" },
  });
});

test("each file is in it with its hash, but for those that apko rewrites", () => {
  using directory = temporaryDirectory();
  const source = join(directory.path, "source");
  writeFileSync(source, "hello");
  const entries: Apk["entries"] = [...APK.entries, { kind: "file", path: "/usr/bin/it", source }];
  const files = sbomOf({ ...APK, entries }).packages.filter((each) => each.primaryPackagePurpose === "FILE");
  expect(files.map(({ name, checksums }) => [name, checksums?.[0]?.checksumValue])).toEqual([
    ["/etc/hello", HELLO_SHA256],
    ["/usr/bin/it", HELLO_SHA256],
  ]);
});

test("what a file is made of is contained in the file, and the rest in the apk", () => {
  const [inFile, inApk] = (["one", "two"] as const).map((name) => ({ kind: "npm", name, licence: "MIT" }) as const);
  if (inFile === undefined || inApk === undefined) throw new Error("two were made");
  const { relationships } = sbomOf(APK, { contains: [inApk], inFiles: { "/etc/hello": [inFile] } });
  expect(relationships.slice(1).map((each) => [each.spdxElementId, each.relatedSpdxElement])).toEqual([
    ["SPDXRef-Package-apk-an-apk-1.2-r0", "SPDXRef-Package-file-etc-hello"],
    ["SPDXRef-Package-file-etc-hello", "SPDXRef-Package-npm-one"],
    ["SPDXRef-Package-apk-an-apk-1.2-r0", "SPDXRef-Package-npm-two"],
  ]);
});

test("a file is under its own licence, where it has one, and under those of what it is made of", () => {
  const text: Apk["entries"][number] = { kind: "text", path: "/licence", text: "mit", licence: "MIT" };
  const contains = ["Zlib AND MIT", "Zlib", "NOASSERTION", "MIT OR GPL-2.0-only"].map(
    (licence, index) => ({ kind: "npm", name: `n${index}`, licence }) as const,
  );
  const sbom = sbomOf({ ...APK, entries: [...APK.entries, text] }, { inFiles: { "/etc/hello": contains } });
  const files = sbom.packages.filter((each) => each.primaryPackagePurpose === "FILE");
  expect(files.map(({ name, licenseDeclared }) => [name, licenseDeclared])).toEqual([
    ["/etc/hello", "Apache-2.0 AND Zlib AND MIT AND (MIT OR GPL-2.0-only)"],
    ["/licence", "MIT"],
  ]);
});

test("contents of a file that is not there are refused", () => {
  expect(() => withSbom(APK, "amd64", { inFiles: { "/usr/bin/it": [] } })).toThrow(
    "The package an-apk has no file /usr/bin/it",
  );
});

function sbomOf(apk: Apk, contents: Parameters<typeof withSbom>[2] = {}): SpdxDocument {
  const entry = withSbom(apk, "amd64", contents).entries.at(-1);
  if (entry?.kind !== "text") throw new Error("the last entry is the SBOM");
  // Written by what is tested.
  return JSON.parse(entry.text) as SpdxDocument;
}
