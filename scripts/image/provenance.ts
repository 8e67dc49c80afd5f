import { readFileSync } from "node:fs";
import { join } from "node:path";
import bunLock from "../../bun.lock";
import packageJson from "../../package.json" with { type: "json" };
import type { BuiltImage } from "./built";
import { type DebianArchitecture, type Lock, readLock } from "./lock";
import { integrityChecksum } from "./npm-lock";
import { npmPurl, purl } from "./purl";

/** The predicate of https://slsa.dev/spec/v1.1/provenance, as far as this fills it in. */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: {
      readonly source: string;
      /** A commit, with `-dirty` behind it where the files were not those of the commit. */
      readonly revision: string;
      /** In seconds since 1970. */
      readonly sourceDateEpoch: number;
      readonly variant: string;
    };
    readonly resolvedDependencies: readonly Dependency[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
  };
}

/** A "resource descriptor" of in-toto: what it is, and its digests by algorithm. */
export interface Dependency {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** What is known about a build besides the image: the locked inputs, and the tools. */
export interface BuildInputs {
  readonly lock: Lock;
  /** Packages of npm: what the sources may import, and the Bun of each architecture. */
  readonly npm: readonly { readonly name: string; readonly version: string; readonly sha512: string }[];
  /** Path in the repository -> SHA-256, in hexadecimal. */
  readonly lockFiles: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * What the builder says about its own work. Nobody else vouches for it: whoever holds the key could write anything here, so
 * the builder's id says "self-asserted". GitHub, which runs the build, makes the provenance of a release.
 *
 * The same for the index and each image in it, since one build makes them all.
 *
 * @throws where the image has no annotation that says what it was built from, as `bun run image` gives it
 */
export function selfAssertedProvenance({ variant, annotations }: BuiltImage, inputs: BuildInputs): Provenance {
  const annotation = (name: string): string => {
    const value = annotations[`org.opencontainers.image.${name}`];
    if (value === undefined) throw new Error(`The image has no ${name} annotation: build it with bun run image`);
    return value;
  };
  const [source, revision] = [annotation("source"), annotation("revision")];
  const page = `${source}/blob/main/docs/verify.md`;
  return {
    buildDefinition: {
      buildType: `${page}#build-type`,
      externalParameters: { source, revision, sourceDateEpoch: Date.parse(annotation("created")) / 1_000, variant },
      resolvedDependencies: [
        gitDependency(source, revision),
        ...Object.entries(inputs.lockFiles).map(([path, sha256]) => ({ uri: `file:${path}`, digest: { sha256 } })),
        ...debDependencies(inputs.lock),
        ...inputs.npm.map(({ name, version, sha512 }) => ({ uri: npmPurl(name, version), digest: { sha512 } })),
      ],
    },
    runDetails: { builder: { id: `${page}#self-asserted`, version: inputs.tools } },
  };
}

/** A dirty working tree has no digest. */
function gitDependency(source: string, revision: string): Dependency {
  const uri = `git+${source}`;
  return /^[0-9a-f]{40}$/.test(revision) ? { uri: `${uri}@${revision}`, digest: { gitCommit: revision } } : { uri };
}

const ARCHITECTURES: readonly DebianArchitecture[] = ["amd64", "arm64"];

function debDependencies({ debian, debs }: Lock): readonly Dependency[] {
  return debs.flatMap(({ name, version, files }) =>
    ARCHITECTURES.map((arch) => {
      const qualifiers = { arch, distro: `debian-${debian}` };
      const uri = purl({ type: "deb", namespace: "debian", name, version, qualifiers });
      return { uri, digest: { sha256: files[arch].sha256 } };
    }),
  );
}

const ROOT = join(import.meta.dirname, "../..");
const LOCK_FILES = ["bun.lock", "deploy/image/lock.json"];
const RUNTIMES = ["@oven/bun-linux-x64", "@oven/bun-linux-aarch64"];

/** Those of this tree, from which the image must have been built. */
export function readBuildInputs(): BuildInputs {
  const names = [...neededPackages(Object.keys(packageJson.dependencies)), ...RUNTIMES];
  const hashes = LOCK_FILES.map((path) => [path, Bun.SHA256.hash(readFileSync(join(ROOT, path)), "hex")] as const);
  const apko = /^\tchainguard\.dev\/apko v(\S+)/m.exec(
    readFileSync(join(ROOT, "scripts/tools/go/apko/go.mod"), "utf8"),
  );
  return {
    lock: readLock(),
    npm: names.toSorted().map(lockedPackage),
    lockFiles: Object.fromEntries(hashes),
    tools: { apko: apko?.[1] ?? "unknown", bun: packageJson.devDependencies.bun },
  };
}

/** Packages, and those that they need, and so on. */
function neededPackages(names: readonly string[], seen: ReadonlySet<string> = new Set()): ReadonlySet<string> {
  const fresh = names.filter((name) => !seen.has(name));
  if (fresh.length === 0) return seen;
  const needed = fresh.flatMap((name) => Object.keys(lockEntry(name).info.dependencies ?? {}));
  return neededPackages(needed, new Set([...seen, ...fresh]));
}

function lockedPackage(name: string): BuildInputs["npm"][number] {
  const { locked, integrity } = lockEntry(name);
  return { name, version: locked.slice(name.length + 1), sha512: integrityChecksum(integrity).value };
}

function lockEntry(name: string) {
  const entry = bunLock.packages[name];
  if (entry?.length !== 4) throw new Error(`bun.lock has no ${name} of npm: run bun install`);
  const [locked, , info, integrity] = entry;
  return { locked, info, integrity };
}
