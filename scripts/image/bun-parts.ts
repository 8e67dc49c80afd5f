import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type Component, NOASSERTION } from "./component";
import type { DebianArchitecture } from "./lock";
import { lockedChecksum, npmArchive } from "./npm-lock";
import { githubPurl, npmPurl, purl } from "./purl";

/** What Bun says of its own contents: its page of licences, and the versions that it was built with. */
export interface BunAccount {
  /** The page https://bun.com/docs/project/license in Markdown. */
  readonly page: string;
  /** `process.versions` */
  readonly versions: Readonly<Record<string, string>>;
  /** `Bun.revision`, the commit. */
  readonly revision: string;
  /** What the executable itself has in it, for versions that a library writes there. */
  readonly executable: Buffer;
}

const ROOT = join(import.meta.dirname, "../..");
const SUPPLIER = "Oven";

const PLATFORM_PACKAGES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "@oven/bun-linux-x64",
  arm64: "@oven/bun-linux-aarch64",
};

/**
 * Bun, as the executable for this architecture has it, with all that it says to be made of.
 *
 * @throws where this is another Bun than the one that is compiled in, or it says something that nothing here knows
 */
export function bunComponent(architecture: DebianArchitecture): Component {
  const version = packageJson.devDependencies.bun;
  if (Bun.version !== version) throw new Error(`Bun ${version} is compiled in, and this is Bun ${Bun.version}`);
  const account = bunAccount();
  const platform = fromNpm(PLATFORM_PACKAGES[architecture], version, "The executable that ours is made of");
  const parts = [platform, ...linkedParts(account), ...embeddedPackages(account.page)];
  return {
    ...fromNpm("bun", version, `Of commit ${account.revision}; which Rust crates it links, Bun does not say`),
    parts,
  };
}

/** What the Bun that runs this says of itself; its page is in bun-types, at the same version. */
export function bunAccount(): BunAccount {
  const page = readFileSync(join(ROOT, "node_modules/bun-types/docs/project/license.mdx"), "utf8");
  const versions = Object.entries(process.versions).flatMap(([name, version]) =>
    version === undefined ? [] : [[name, version] as const],
  );
  const executable = readFileSync(process.execPath);
  return { page, versions: Object.fromEntries(versions), revision: Bun.revision, executable };
}

function fromNpm(name: string, version: string, note: string): Component {
  return {
    kind: "runtime",
    name,
    version,
    purl: npmPurl(name, version),
    licence: "MIT",
    downloadLocation: npmArchive(name, version),
    checksum: lockedChecksum(name, version),
    supplier: SUPPLIER,
    note,
  };
}

/** Where a library comes from, beyond what Bun's page says of it. */
interface Origin {
  /** Its name in `process.versions`. */
  readonly version?: string;
  /** What stands before its version in the executable, where `process.versions` does not have it. */
  readonly mark?: string;
  /** `OWNER/NAME` on GitHub, where Bun does not take it from where the page leads. */
  readonly repository?: string;
  /** In Bun's own repository. */
  readonly directory?: string;
}

/**
 * The libraries of Bun's page. The repositories are Bun's own forks, as its build names them (scripts/build/deps in
 * oven-sh/bun).
 */
const LIBRARIES: Readonly<Record<string, Origin>> = {
  JavaScriptCore: { version: "webkit", repository: "oven-sh/WebKit" },
  boringssl: { version: "boringssl", repository: "oven-sh/boringssl" },
  brotli: {},
  libarchive: { version: "libarchive" },
  "lol-html": { version: "lolhtml" },
  "ls-hpack": { version: "lshpack" },
  "ls-qpack": {},
  lsquic: {},
  mimalloc: { version: "mimalloc", repository: "oven-sh/mimalloc" },
  picohttp: { version: "picohttpparser" },
  zstd: { version: "zstd" },
  simdutf: {},
  tinycc: { version: "tinycc", repository: "oven-sh/tinycc" },
  uSockets: { version: "usockets", directory: "packages/bun-usockets" },
  "zlib-ng": { version: "zlib" },
  "c-ares": { version: "ares" },
  libicu: { version: "icu" },
  libbase64: {},
  libdeflate: { version: "libdeflate" },
  "libjpeg-turbo": { mark: "libjpeg-turbo version " },
  libspng: {},
  libwebp: {},
  highway: {},
  HdrHistogram_c: {},
  sqlite: { version: "sqlite" },
  uWebsockets: { version: "uwebsockets", directory: "packages/bun-uws" },
};

/** On Bun's page, and not in a Bun for Linux. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "libuv",
  // The page leads to windows.zig.
  "Tigerbeetle's IO code",
]);

/** In `process.versions`, and not on Bun's page. */
const UNLISTED: Readonly<Record<string, (version: string) => Pick<Component, "purl" | "licence">>> = {
  // Node.js' HTTP parser.
  llhttp: (version) => ({ purl: githubPurl("nodejs/llhttp", `v${version}`), licence: "MIT" }),
  // `bun check` has the declarations of its standard library.
  typescript: (version) => ({ purl: npmPurl("typescript", version), licence: "Apache-2.0" }),
};

/** In `process.versions`, and no part of its own. */
const NO_PARTS: ReadonlySet<string> = new Set([
  "bun",
  // What Bun is compatible with.
  "node",
  "v8",
  "uv",
  "napi",
  "modules",
  // What node:crypto takes BoringSSL for.
  "openssl",
  // The edition of the data in ICU.
  "unicode",
  // A compiler that Bun was built with before; the executable names clang and rustc alone (section .comment).
  "zig",
]);

/** The page's words -> an SPDX expression: in its narrower reading, where the words leave two. */
const LICENCES: Readonly<Record<string, string>> = {
  "LGPL-2": "LGPL-2.0-only",
  "several licenses": NOASSERTION,
  MIT: "MIT",
  "MIT licensed": "MIT",
  "BSD 3-Clause": "BSD-3-Clause",
  "BSD 2-Clause": "BSD-2-Clause",
  "MIT (bundled xxhash is BSD 2-Clause)": "MIT AND BSD-2-Clause",
  "MIT (portions derived from Chromium proto-quic, BSD 3-Clause)": "MIT AND BSD-3-Clause",
  "dual-licensed under the Perl License or the MIT License": "Artistic-1.0-Perl OR GPL-1.0-or-later OR MIT",
  "dual-licensed under the BSD License or GPLv2 license": "BSD-3-Clause OR GPL-2.0-only",
  "Apache 2.0": "Apache-2.0",
  "Apache 2.0 licensed": "Apache-2.0",
  "LGPL v2.1": "LGPL-2.1-only",
  zlib: "Zlib",
  "ICU license": "Unicode-3.0",
  "BSD 3-Clause / IJG / zlib": "BSD-3-Clause AND IJG AND Zlib",
  "BSD 2-Clause (portions derived from libpng, PNG Reference Library License v2)": "BSD-2-Clause AND libpng-2.0",
  "dual-licensed under CC0 1.0 or the BSD 2-Clause License": "CC0-1.0 OR BSD-2-Clause",
  "public domain": "blessing",
};

/**
 * The libraries that are compiled into Bun for Linux.
 *
 * @throws where the page or `process.versions` names one that is not known here, or one that is known is gone
 */
export function linkedParts(account: BunAccount): readonly Component[] {
  const { page, versions } = account;
  const rows = [javaScriptCore(page), ...readTable(page, "Linked libraries")];
  const listed = rows.filter(({ name }) => !ELSEWHERE.has(name));
  const unknown = listed.filter(({ name }) => !(name in LIBRARIES)).map(({ name }) => name);
  if (unknown.length > 0) throw new Error(`Bun's page of licences names ${unknown.join(", ")}: ${REMEDY}`);
  const gone = Object.keys(LIBRARIES).filter((name) => !listed.some((row) => row.name === name));
  if (gone.length > 0) throw new Error(`Bun's page of licences no longer names ${gone.join(", ")}: ${REMEDY}`);
  checkVersions(versions);
  const libraries = listed.map((row) => library(row, LIBRARIES[row.name] ?? {}, account));
  const unlisted = Object.entries(UNLISTED).map(([name, describe]): Component => {
    const version = known(versions, name);
    return { kind: "linked", name, version, ...describe(version), supplier: SUPPLIER };
  });
  return [...libraries, ...unlisted];
}

const REMEDY = "say what it is in scripts/image/bun-parts.ts";

function checkVersions(versions: BunAccount["versions"]): void {
  const used = new Set(Object.values(LIBRARIES).map(({ version }) => version));
  const unknown = Object.keys(versions).filter((name) => !used.has(name) && !(name in UNLISTED) && !NO_PARTS.has(name));
  if (unknown.length > 0) throw new Error(`process.versions names ${unknown.join(", ")}: ${REMEDY}`);
}

function library(row: Row, origin: Origin, account: BunAccount): Component {
  const version = versionOf(origin, account);
  const common = { kind: "linked", name: row.name, licence: spdx(row), supplier: SUPPLIER } as const;
  if (version === undefined)
    return { ...common, purl: githubPurl(repository(row)), note: "Bun names it, and no version of it" };
  if (origin.directory !== undefined) {
    if (version !== account.revision)
      throw new Error(`${row.name} is at ${version}, and no longer Bun's own: ${REMEDY}`);
    return { ...common, version, ...atCommit("oven-sh/bun", version, origin.directory) };
  }
  if (!/^[0-9a-f]{40}$/.test(version)) {
    // A release, and not a commit; how its tag is written is up to each repository.
    return { ...common, version, purl: purl({ type: "generic", name: row.name, version }) };
  }
  return { ...common, version, ...atCommit(origin.repository ?? repository(row), version) };
}

function versionOf({ version, mark }: Origin, { versions, executable }: BunAccount): string | undefined {
  if (version !== undefined) return known(versions, version);
  if (mark === undefined) return undefined;
  const at = executable.indexOf(mark);
  const found =
    at === -1 ? null : /^[\d.]+/.exec(executable.toString("latin1", at + mark.length, at + mark.length + 20));
  if (found === null) throw new Error(`Bun's executable no longer has "${mark}" in it: ${REMEDY}`);
  return found[0];
}

function known(versions: BunAccount["versions"], name: string): string {
  const version = versions[name];
  if (version === undefined) throw new Error(`process.versions no longer names ${name}: ${REMEDY}`);
  return version;
}

function atCommit(path: string, commit: string, directory?: string) {
  const within = directory === undefined ? "" : `#${directory}`;
  const downloadLocation = `git+https://github.com/${path}.git@${commit}${within}`;
  return { purl: githubPurl(path, commit, directory), downloadLocation };
}

function repository({ name, url }: Row): string {
  const path = /^https:\/\/github\.com\/([^/]+\/[^/]+)/.exec(url)?.[1];
  if (path === undefined) throw new Error(`Bun's page of licences leads from ${name} to ${url}: ${REMEDY}`);
  return path;
}

function spdx({ name, licence }: Row): string {
  const expression = LICENCES[licence];
  if (expression === undefined)
    throw new Error(`Bun's page of licences gives ${name} the licence ${licence}: ${REMEDY}`);
  return expression;
}

/** The packages of npm's that Bun has in its stead of Node.js' modules. Which versions, it does not say. */
export function embeddedPackages(page: string): readonly Component[] {
  return readTable(page, "Polyfills").map((row) => ({
    kind: "embedded",
    name: row.name,
    purl: npmPurl(row.name),
    licence: spdx(row),
    supplier: SUPPLIER,
    note: "Bun names it, and no version of it",
  }));
}

interface Row {
  readonly name: string;
  readonly url: string;
  readonly licence: string;
}

function javaScriptCore(page: string): Row {
  const licence = /^Bun statically links JavaScriptCore \(and WebKit\), which is (\S+) licensed\./m.exec(page)?.[1];
  if (licence === undefined) throw new Error(`Bun's page of licences no longer says how JavaScriptCore is: ${REMEDY}`);
  return { name: "JavaScriptCore", url: "https://github.com/oven-sh/WebKit", licence };
}

/** The rows `| [NAME](URL) | LICENCE |` below a heading, whatever stands beside the link; a licence may be a link too. */
function readTable(page: string, heading: string): readonly Row[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const rows = [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].slice(2);
  if (rows.length === 0) throw new Error(`Bun's page of licences has no table of ${heading}: ${REMEDY}`);
  return rows.map(([row, what = "", licence = ""]) => {
    const [, name, url] = /\[`?([^\]`]+)`?\]\(([^)]+)\)/.exec(what) ?? [];
    if (name === undefined || url === undefined) throw new Error(`Bun's page of licences has a row ${row}: ${REMEDY}`);
    return { name, url, licence: licence.replace(/^\[([^\]]+)\]\([^)]+\)$/, "$1") };
  });
}
