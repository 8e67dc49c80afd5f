import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { type BunLicence, bunLicences, readBunLicence } from "./bun-licences";
import { bunAccount } from "./bun-parts";
import { type BundledPackage, bundledComponents } from "./bundled";

/** A licence file of the image. */
export interface Notice {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** The SPDX expression of this text. */
  readonly licence: string;
}

const DIRECTORY = "/usr/share/licenses/livenessprobe";
const ROOT = join(import.meta.dirname, "../../..");

/**
 * The licence files that must accompany the executable: our licence, those of the packages in the bundle, Bun's licence
 * page, and the texts for Bun and its parts. Sorted by path; the same from the same sources.
 */
export async function licenceNotices(): Promise<readonly Notice[]> {
  const packages = flattenPackages(await bundledComponents());
  const account = bunAccount();
  const licences = bunLicences(account);
  const page = bunNotice(account.page, packageJson.devDependencies.bun, licences);
  const notices: readonly Notice[] = [
    { path: "LICENSE", text: readFileSync(join(ROOT, "LICENSE"), "utf8"), licence: packageJson.license },
    ...packages.flatMap(packageNotices),
    { path: "bun/NOTICE.md", text: page, licence: `${packageJson.license} AND MIT` },
    ...licences.map((each) => ({ path: `bun/${each.file}`, text: readBunLicence(each), licence: each.licence })),
  ];
  return notices
    .map((notice) => ({ ...notice, path: `${DIRECTORY}/${notice.path}` }))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function flattenPackages(packages: readonly BundledPackage[]): readonly BundledPackage[] {
  return packages.flatMap((bundled) => [bundled, ...flattenPackages(bundled.parts)]);
}

function packageNotices({ name, version, licence, texts }: BundledPackage): readonly Notice[] {
  return texts.map((file) => ({ path: `npm/${name}-${version}/${file.name}`, text: file.text, licence }));
}

/**
 * Bun's licence page, after a text about what it means for this executable.
 *
 * @param page in Markdown, with its front matter
 * @param version of Bun
 * @param licences whose texts are beside it
 */
export function bunNotice(page: string, version: string, licences: readonly BunLicence[]): string {
  const own = page.replace(/^---\n.*?\n---\n+/s, "").replaceAll(/^\|.*\|$/gm, narrow);
  return `# Bun ${version}, which /usr/bin/livenessprobe contains

/usr/bin/livenessprobe is Bun with the JavaScript of this program appended. Bun links JavaScriptCore (WebKit) and TinyCC,
which are under the LGPL; its versions 2.0 and 2.1 are beside this file. You may replace them with other versions: build
Bun with your changes, as Bun's page says below, and then run this in the sources of this program:

    bun build src/main.ts --compile --compile-executable-path=/path/to/your/bun --outfile=livenessprobe

Bun's sources are at https://github.com/oven-sh/bun, those of its WebKit at https://github.com/oven-sh/WebKit. The SBOM
of the image (/var/lib/db/sbom) names the commit of each library for which Bun names one.

Bun says that it is MIT-licensed. The texts beside this file are those of Bun and of its parts:

| text | for | taken from |
| --- | --- | --- |
${licences.map(({ file, parts, from }) => `| ${file} | ${parts.join(", ")} | ${from} |`).join("\n")}

Bun's licence page (https://bun.com/docs/project/license) of Bun ${version} follows.

---

${own.trimEnd()}
`;
}

/** A row of a table, without the spaces that align its columns. */
function narrow(row: string): string {
  return row.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}
