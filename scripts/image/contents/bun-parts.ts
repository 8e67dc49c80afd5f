import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { ELSEWHERE, LIBRARIES, LICENCES, NO_PARTS, type Origin, UNLISTED } from "./bun-known";
import type { Component } from "./component";
import type { DebianArchitecture } from "../inputs/lock";
import { BUN_PACKAGES, lockedPackage, npmArchive } from "../inputs/npm";
import { githubPurl, npmPurl, purl } from "./purl";

/** What Bun says about its contents: its licence page, and the versions of its parts. */
export interface BunAccount {
  /** The page https://bun.com/docs/project/license in Markdown. */
  readonly page: string;
  /** `process.versions` */
  readonly versions: Readonly<Record<string, string>>;
  /** `Bun.revision`, the commit. */
  readonly revision: string;
  /** The executable itself: it contains the versions of some libraries. */
  readonly executable: Buffer;
}

const ROOT = join(import.meta.dirname, "../../..");
const SUPPLIER = "Oven";

/**
 * Bun in the executable for this architecture, with all parts that it names.
 *
 * @throws where another Bun than the pinned one runs this, or it names a part that is not known here
 */
export function bunComponent(architecture: DebianArchitecture): Component {
  const version = packageJson.devDependencies.bun;
  if (Bun.version !== version)
    throw new Error(`The executable contains Bun ${version}, and this is Bun ${Bun.version}`);
  const account = bunAccount();
  const platform = fromNpm(BUN_PACKAGES[architecture], "The executable that ours is made of");
  const parts = [platform, ...linkedParts(account), ...embeddedPackages(account.page)];
  return {
    ...fromNpm("bun", `Of commit ${account.revision}; Bun does not name the Rust crates that it links`),
    parts,
  };
}

/** What the running Bun says about itself. Its licence page is in bun-types, at the same version. */
export function bunAccount(): BunAccount {
  const page = readFileSync(join(ROOT, "node_modules/bun-types/docs/project/license.mdx"), "utf8");
  const versions = Object.entries(process.versions).flatMap(([name, version]) =>
    version === undefined ? [] : [[name, version] as const],
  );
  const executable = readFileSync(process.execPath);
  return { page, versions: Object.fromEntries(versions), revision: Bun.revision, executable };
}

function fromNpm(name: string, note: string): Component {
  const { version, checksum } = lockedPackage(name);
  return {
    kind: "runtime",
    name,
    version,
    purl: npmPurl(name, version),
    licence: "MIT",
    downloadLocation: npmArchive(name, version),
    checksum,
    supplier: SUPPLIER,
    note,
  };
}

/**
 * The libraries that are compiled into Bun for Linux.
 *
 * @throws where the page or `process.versions` names one that is not known here, or no longer names a known one
 */
export function linkedParts(account: BunAccount): readonly Component[] {
  const { page, versions } = account;
  const rows = [javaScriptCore(page), ...readTable(page, "Linked libraries")];
  const listed = rows.filter(({ name }) => !ELSEWHERE.has(name));
  const unknown = listed.filter(({ name }) => !(name in LIBRARIES)).map(({ name }) => name);
  if (unknown.length > 0) throw new Error(`Bun's licence page names ${unknown.join(", ")}: ${REMEDY}`);
  const gone = Object.keys(LIBRARIES).filter((name) => !listed.some((row) => row.name === name));
  if (gone.length > 0) throw new Error(`Bun's licence page no longer names ${gone.join(", ")}: ${REMEDY}`);
  checkVersions(versions);
  const libraries = listed.map((row) => library(row, LIBRARIES[row.name] ?? {}, account));
  const unlisted = Object.entries(UNLISTED).map(([name, describe]): Component => {
    const version = known(versions, name);
    return { kind: "linked", name, version, ...describe(version), supplier: SUPPLIER };
  });
  return [...libraries, ...unlisted];
}

const REMEDY = "describe it in scripts/image/contents/bun-known.ts";

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
      throw new Error(`${row.name} is at ${version}, and no longer at Bun's own commit: ${REMEDY}`);
    return { ...common, version, ...atCommit("oven-sh/bun", version, origin.directory) };
  }
  if (!/^[0-9a-f]{40}$/.test(version)) {
    // A release, not a commit; each repository has its own form of tags.
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
  if (found === null) throw new Error(`Bun's executable no longer contains "${mark}": ${REMEDY}`);
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
  if (path === undefined) throw new Error(`Bun's licence page links ${name} to ${url}: ${REMEDY}`);
  return path;
}

function spdx({ name, licence }: Row): string {
  const expression = LICENCES[licence];
  if (expression === undefined) throw new Error(`Bun's licence page gives ${name} the licence ${licence}: ${REMEDY}`);
  return expression;
}

/** The npm packages that Bun contains in place of Node.js modules. It does not name their versions. */
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
  if (licence === undefined)
    throw new Error(`Bun's licence page no longer names the licence of JavaScriptCore: ${REMEDY}`);
  return { name: "JavaScriptCore", url: "https://github.com/oven-sh/WebKit", licence };
}

/**
 * The rows `| [NAME](URL) | LICENCE |` below a heading. Other words may surround the link, and a licence may be a link.
 */
function readTable(page: string, heading: string): readonly Row[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const rows = [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].slice(2);
  if (rows.length === 0) throw new Error(`Bun's licence page has no table of ${heading}: ${REMEDY}`);
  return rows.map(([row, what = "", licence = ""]) => {
    const [, name, url] = /\[`?([^\]`]+)`?\]\(([^)]+)\)/.exec(what) ?? [];
    if (name === undefined || url === undefined) throw new Error(`Bun's licence page has a row ${row}: ${REMEDY}`);
    return { name, url, licence: licence.replace(/^\[([^\]]+)\]\([^)]+\)$/, "$1") };
  });
}
