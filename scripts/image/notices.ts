import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { bunAccount } from "./bun-parts";
import { type BundledPackage, bundledComponents } from "./bundled";

/** A file of the image. */
export interface Notice {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

const DIRECTORY = "/usr/share/licenses/livenessprobe";
const ROOT = join(import.meta.dirname, "../..");

/**
 * What has to go with the executable wherever it goes: our licence, that of each package in the bundle, and Bun's page,
 * with the texts of the LGPL, under which parts of Bun are. By path, and the same from the same sources.
 */
export async function licenceNotices(): Promise<readonly Notice[]> {
  const packages = flattenPackages(await bundledComponents());
  const notices = [
    { path: "LICENSE", text: readFileSync(join(ROOT, "LICENSE"), "utf8") },
    ...packages.flatMap(packageNotices),
    { path: "bun/NOTICE.md", text: bunNotice(bunAccount().page, packageJson.devDependencies.bun) },
    ...["LGPL-2.0.txt", "LGPL-2.1.txt"].map((name) => ({ path: `bun/${name}`, text: readText(name) })),
  ];
  return notices
    .map(({ path, text }) => ({ path: `${DIRECTORY}/${path}`, text }))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function flattenPackages(packages: readonly BundledPackage[]): readonly BundledPackage[] {
  return packages.flatMap((bundled) => [bundled, ...flattenPackages(bundled.parts)]);
}

function packageNotices({ name, version, texts }: BundledPackage): readonly Notice[] {
  return texts.map((file) => ({ path: `npm/${name}-${version}/${file.name}`, text: file.text }));
}

function readText(name: string): string {
  return readFileSync(join(import.meta.dirname, "licences", name), "utf8");
}

/**
 * Bun's own page, with what it means for this executable before it.
 *
 * @param page in Markdown, with the head that its site wants
 * @param version of Bun
 */
export function bunNotice(page: string, version: string): string {
  const own = page.replace(/^---\n.*?\n---\n+/s, "").replaceAll(/^\|.*\|$/gm, narrow);
  return `# Bun ${version}, which /usr/bin/livenessprobe contains

/usr/bin/livenessprobe is Bun with this program's JavaScript behind it. Bun links JavaScriptCore (WebKit) and TinyCC,
which are under the LGPL; its versions 2.0 and 2.1 are beside this file. You may put other versions of them in their
place: build a Bun with your changes, as Bun's page tells below, and then, in the sources of this program,

    bun build src/main.ts --compile --compile-executable-path=/path/to/your/bun --outfile=livenessprobe

Bun's sources are at https://github.com/oven-sh/bun, those of its WebKit at https://github.com/oven-sh/WebKit. The SBOM
of the image (/var/lib/db/sbom) names the commit of each library that Bun names one of.

What follows is Bun's page of licences (https://bun.com/docs/project/license), as it comes with Bun ${version}.

---

${own.trimEnd()}
`;
}

/** A row of a table without the spaces that line up its columns. */
function narrow(row: string): string {
  return row.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}
