import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { lockedDeb, readLock } from "../../scripts/image/inputs/lock";
import { type GrypeReport, fixedByDebian, plant } from "../../scripts/image/scan";
import { isBuilt } from "../../scripts/tools/tool";
import { temporaryDirectory } from "../../scripts/temporary";
import { type Advisory, writeVulnerabilityDatabase } from "../support/vulnerability-database";

const SCRIPT = join(import.meta.dir, "../../scripts/image/scan.ts");
const SBOM = join(BUILT_DIRECTORY, "sbom/livenessprobe/sbom-x86_64.spdx.json");
const OURS = lockedDeb(readLock(), "libc6").version;

describe("a report", () => {
  test.each([
    ["of nothing", [], []],
    ["of what Debian has not fixed", [match("CVE-1", "deb", "not-fixed")], []],
    ["of what Debian will not fix", [match("CVE-1", "deb", "wont-fix")], []],
    ["of what the next version of an npm package fixes", [match("CVE-1", "npm", "fixed")], []],
    ["of what Debian has fixed", [match("CVE-1", "npm", "not-fixed"), match("CVE-2", "deb", "fixed")], ["CVE-2"]],
    ["of two packages with one fix", [match("CVE-1", "deb", "fixed"), match("CVE-1", "deb", "fixed")], ["CVE-1"]],
  ] as const)("%s says what a newer lock would fix", (_, matches, fixed) => {
    expect<readonly string[]>(fixedByDebian({ matches })).toEqual(fixed);
  });
});

describe("planting an old libc6", () => {
  test("changes its version, and nothing else", () => {
    const sbom = packagesOf(readFileSync(SBOM, "utf8"));
    const planted = packagesOf(plant(readFileSync(SBOM, "utf8")));
    const changed = planted.filter((each, index) => !Bun.deepEquals(each, sbom[index]));
    expect(changed).toMatchObject([{ name: "libc6", versionInfo: "2.36-9+deb12u1" }]);
    expect(JSON.stringify(changed)).toContain('"pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?');
    expect(JSON.stringify(changed)).not.toContain(OURS);
  });

  test("is refused where there is none", () => {
    expect(() => plant('{"packages":[{"name":"musl","versionInfo":"1.2"}]}')).toThrow("no libc6");
  });
});

// It takes five minutes to build, so it is left to who scans: `bun run image:scan` builds it, and plants an old libc6 itself.
const scanner = await isBuilt("grype");
if (!scanner)
  console.warn("The scan of the built images is not tested: run bun run image:scan once, which builds grype.");

describe.if(scanner)("the scan of the built images", () => {
  const looneyTunables: Advisory = { vulnerability: "CVE-2023-4911", source: "glibc", fixedIn: "2.36-9+deb12u3" };

  test.each([
    [
      "with a database that has what is planted says that it sees it, and that nothing else is known",
      [looneyTunables],
      {
        code: 0,
        said: [
          /^planted: CVE-2023-4911 of libc6 2\.36-9\+deb12u1 is reported\n/,
          /^livenessprobe-dev arm64:\nNo vulnerabilities found$/m,
        ],
      },
    ],
    [
      "tells what nobody has fixed, and passes",
      [looneyTunables, { vulnerability: "CVE-2026-0001", source: "glibc" }],
      {
        code: 0,
        said: [/^livenessprobe amd64:\nNAME .*VULNERABILITY .*\nlibc6 .* deb .*CVE-2026-0001 .*High/m],
      },
    ],
    [
      "fails where Debian has fixed what we have",
      [looneyTunables, { vulnerability: "CVE-2026-0002", source: "glibc", fixedIn: "2.36-9+deb12u999" }],
      {
        code: 1,
        said: [
          /^libc6 .*2\.36-9\+deb12u999 .*CVE-2026-0002/m,
          /^livenessprobe amd64: Debian has a fix for CVE-2026-0002: run bun run image:lock$/m,
        ],
      },
    ],
    [
      "finds what is in -dev alone",
      [looneyTunables, { vulnerability: "CVE-2026-0003", source: "busybox" }],
      {
        code: 0,
        said: [
          /^livenessprobe amd64:\nNo vulnerabilities found$/m,
          /^livenessprobe-dev amd64:\n(.*\n)+busybox-static /m,
        ],
      },
    ],
    [
      "fails with a scanner that does not see what is planted",
      [{ vulnerability: "CVE-2026-0001", source: "zlib" }],
      {
        code: 1,
        said: [/^The scanner does not work: it does not report CVE-2023-4911 of libc6 2\.36-9\+deb12u1, planted/m],
      },
    ],
  ] as const)("%s", async (_, advisories, expected) => {
    using directory = temporaryDirectory();
    const { code, said } = runScan(await writeVulnerabilityDatabase(directory.path, advisories));
    expect([code, said]).toEqual([expected.code, expect.any(String)]);
    for (const pattern of expected.said) expect(said).toMatch(pattern);
  });

  test("fails without a database", () => {
    using directory = temporaryDirectory();
    const { code, said } = runScan({ GRYPE_DB_CACHE_DIR: directory.path, GRYPE_DB_AUTO_UPDATE: "false" });
    expect([code, said]).toEqual([1, expect.stringContaining("database does not exist")]);
  });
});

function match(id: string, type: string, state: string): GrypeReport["matches"][number] {
  return { vulnerability: { id, fix: { state } }, artifact: { name: "some", type } };
}

function packagesOf(sbom: string): readonly object[] {
  return (JSON.parse(sbom) as { readonly packages: readonly object[] }).packages;
}

function runScan(env: Readonly<Record<string, string>>) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, SCRIPT], { env: { ...process.env, ...env } });
  return { code: exitCode, said: stdout.toString() + stderr.toString() };
}
