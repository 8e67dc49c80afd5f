import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import type { BuiltImage } from "../oci/built";
import { ARCHITECTURES, type Lock, readLock } from "../inputs/lock";
import { type LockedPackage, installedPackages } from "../inputs/npm";
import { npmPurl, purl } from "../contents/purl";

/** A "resource descriptor" of in-toto, with digests by algorithm. */
export interface Dependency {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** The locked inputs and the tools of a build. */
export interface BuildInputs {
  readonly lock: Lock;
  /** What the build installs, and the Bun of each architecture. */
  readonly npm: readonly LockedPackage[];
  /** Path in the repository -> SHA-256, in hexadecimal. */
  readonly lockFiles: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * What the builder says about its own work, as the predicate of https://slsa.dev/spec/v1.1/provenance. Whoever holds
 * the key could write anything here, so the builder's id says "self-asserted". The provenance of a release is made by
 * GitHub.
 *
 * The index and each image in it have the same, since one build makes them all.
 *
 * @throws where the image lacks an annotation of `bun run image`
 */
export function selfAssertedProvenance({ variant, annotations }: BuiltImage, inputs: BuildInputs) {
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
        ...inputs.npm.map(({ name, version, checksum }) => ({
          uri: npmPurl(name, version),
          digest: { [checksum.algorithm.toLowerCase()]: checksum.value },
        })),
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

function debDependencies({ debian, debs }: Lock): readonly Dependency[] {
  return debs.flatMap(({ name, version, files }) =>
    ARCHITECTURES.map((arch) => {
      const qualifiers = { arch, distro: `debian-${debian}` };
      const uri = purl({ type: "deb", namespace: "debian", name, version, qualifiers });
      return { uri, digest: { sha256: files[arch].sha256 } };
    }),
  );
}

const ROOT = join(import.meta.dirname, "../../..");
const LOCK_FILES = ["bun.lock", "deploy/image/lock.json"];

/** The inputs in this tree. The image must have been built from it. */
export function readBuildInputs(): BuildInputs {
  const hashes = LOCK_FILES.map((path) => [path, Bun.SHA256.hash(readFileSync(join(ROOT, path)), "hex")] as const);
  const apko = /^\tchainguard\.dev\/apko v(\S+)/m.exec(readFileSync(join(ROOT, "scripts/tools/apko/go.mod"), "utf8"));
  return {
    lock: readLock(),
    npm: installedPackages(),
    lockFiles: Object.fromEntries(hashes),
    tools: { apko: apko?.[1] ?? "unknown", bun: packageJson.devDependencies.bun },
  };
}
