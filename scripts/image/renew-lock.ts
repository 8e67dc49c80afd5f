import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../temporary";
import { progress, runCommand } from "../command";
import { run } from "../run";
import { needFiles } from "../tools/debian";
import { fetchDeb } from "./inputs/debs";
import {
  ARCHITECTURES,
  type DebianArchitecture,
  type LockedDeb,
  type LockedFile,
  readLock,
  writeLock,
} from "./inputs/lock";

const RELEASE = "12";
const SUITES = ["debian bookworm", "debian bookworm-updates", "debian-security bookworm-security"];
const NAMES = ["libc6", "busybox-static"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Writes Debian's current versions into the lock. apt asks for them, because it checks the signatures of the archive.
 * It uses its own lists, so those of the machine do not change.
 */
async function renewLock(): Promise<void> {
  const old = readLock();
  using directory = temporaryDirectory();
  await needFiles({ [KEYRING]: "debian-archive-keyring" });
  const apt = await privateApt(directory.path);
  const debs = await Promise.all(NAMES.map(async (name) => newest(name, apt)));
  const same = Bun.deepEquals(debs, old.debs);
  if (!same) {
    const seen = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
    const files = await Promise.all(
      debs.flatMap(({ files: { amd64, arm64 } }) => [fetchDeb(amd64, seen), fetchDeb(arm64, seen)]),
    );
    const built = files.map((file) => buildSeconds(readFileSync(file)));
    writeLock({ debian: RELEASE, time: new Date(Math.max(...built) * 1_000).toISOString(), seen, debs });
  }
  const changes = debs.map(({ name, version }) => `${name} ${version}`).join(", ");
  console.log(`${same ? "Nothing newer" : "Renewed"}: ${changes}`);
}

/** When a package was built: the time of the first member of the ar(5) file. */
function buildSeconds(deb: Buffer): number {
  return Number(deb.subarray(24, 36).toString("latin1").trim());
}

type Apt = (...args: readonly string[]) => Promise<string>;

async function privateApt(directory: string): Promise<Apt> {
  for (const folder of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(directory, folder), { recursive: true });
  const sources = SUITES.map((suite) => {
    const [archive = "", name = ""] = suite.split(" ");
    return `deb [signed-by=${KEYRING}] http://deb.debian.org/${archive} ${name} main\n`;
  });
  writeFileSync(join(directory, "sources.list"), sources.join(""));
  writeFileSync(join(directory, "status"), "");
  const options = [
    `APT::Architectures=${ARCHITECTURES.join(",")}`,
    "APT::Sandbox::User=root",
    `Dir::Etc::SourceList=${directory}/sources.list`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${directory}/lists`,
    `Dir::State::Status=${directory}/status`,
    `Dir::Cache=${directory}/cache`,
  ].flatMap((option) => ["-o", option]);
  const apt: Apt = (...args) => run(["apt-get", "--quiet", ...options, ...args], { cwd: directory });
  progress("Asking Debian for its newest packages");
  await apt("update");
  return apt;
}

async function newest(name: string, apt: Apt): Promise<LockedDeb> {
  const [amd64, arm64] = await Promise.all(ARCHITECTURES.map(async (architecture) => find(name, architecture, apt)));
  if (amd64 === undefined || arm64 === undefined)
    throw new Error(`Debian has no ${name} for ${ARCHITECTURES.join(" or ")}`);
  if (amd64.version !== arm64.version)
    throw new Error(`${name} is ${amd64.version} for amd64 and ${arm64.version} for arm64: try again later`);
  return { name, version: amd64.version, files: { amd64: amd64.file, arm64: arm64.file } };
}

interface Found {
  readonly version: string;
  readonly file: LockedFile;
}

async function find(name: string, architecture: DebianArchitecture, apt: Apt): Promise<Found> {
  const printed = await apt("download", "--print-uris", `${name}:${architecture}`);
  // 'http://host/archive/pool/...' name_version_architecture.deb SIZE SHA256:...
  const groups = /^'\w+:\/\/[^/]+\/([\w-]+)\/(pool\/[^']+)' \S+?_(\S+)_\w+\.deb \d+ SHA256:([0-9a-f]{64})$/m.exec(
    printed,
  );
  const [, archive = "", path = "", version = "", sha256 = ""] = groups ?? [];
  if (groups === null) throw new Error(`apt-get printed the address of ${name} in an unknown form: ${printed}`);
  return { version: decodeURIComponent(version), file: { archive, path, sha256 } };
}

await runCommand({
  name: "bun run image:lock",
  about: `Writes the current versions of the Debian packages into deploy/image/lock.json. apt asks for them, and
    checks the signatures of the archive.`,
  flags: {},
  run: renewLock,
});
