import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT_DIRECTORY } from "../../scripts/image/built";
import { lockedDeb, readLock } from "../../scripts/image/lock";
import { type GrypeReport, judge, plant } from "../../scripts/image/scan";
import { isBuilt } from "../../scripts/tools/tool";
import { temporaryDirectory } from "../../scripts/temporary";
import { type Advisory, writeVulnerabilityDatabase } from "../support/vulnerability-database";

const SCRIPT = join(import.meta.dir, "../../scripts/image/scan.ts");
const SBOM = join(BUILT_DIRECTORY, "sbom/livenessprobe/sbom-x86_64.spdx.json");
const OURS = lockedDeb(readLock(), "libc6").version;

describe("a report", () => {
  test.each([
    ["of nothing", [], "clean"],
    ["of what Debian has not fixed", [match("deb", "not-fixed")], "open"],
    ["of what Debian will not fix", [match("deb", "wont-fix")], "open"],
    ["of what the next version of an npm package fixes", [match("npm", "fixed")], "open"],
    ["of what Debian has fixed", [match("npm", "not-fixed"), match("deb", "fixed")], "outdated"],
  ] as const)("%s is judged", (_, matches, kind) => {
    expect(judge({ matches }).kind).toBe(kind);
  });

  test("is judged by the fixes alone, and told whole", () => {
    const verdict = judge({ matches: [match("deb", "not-fixed"), match("deb", "fixed")] });
    expect(verdict).toMatchObject({
      findings: [{ fixedIn: "" }, { fixedIn: "2.0" }],
      mended: [{ vulnerability: "CVE-2026-0001", severity: "High", name: "some", version: "1.0", type: "deb" }],
    });
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
          /^livenessprobe-dev aarch64: nothing known$/m,
        ],
      },
    ],
    [
      "tells what nobody has fixed, and passes",
      [looneyTunables, { vulnerability: "CVE-2026-0001", source: "glibc" }],
      {
        code: 0,
        said: [
          /^livenessprobe x86_64: 1 known, none for the lock to mend\n {2}CVE-2026-0001 \(High\) libc6 \S+, not fixed$/m,
        ],
      },
    ],
    [
      "fails where Debian has fixed what we have",
      [looneyTunables, { vulnerability: "CVE-2026-0002", source: "glibc", fixedIn: "2.36-9+deb12u999" }],
      {
        code: 1,
        said: [
          /^livenessprobe x86_64: 1 known, and Debian has mended 1: run bun run image:lock$/m,
          /fixed in 2\.36-9\+deb12u999$/m,
        ],
      },
    ],
    [
      "finds what is in -dev alone",
      [looneyTunables, { vulnerability: "CVE-2026-0003", source: "busybox" }],
      {
        code: 0,
        said: [/^livenessprobe x86_64: nothing known$/m, /^livenessprobe-dev x86_64: (.*\n)+.* busybox-static /m],
      },
    ],
    [
      "fails with a scanner that does not see what is planted",
      [{ vulnerability: "CVE-2026-0001", source: "zlib" }],
      {
        code: 1,
        said: [/^The scanner sees nothing: CVE-2023-4911 of libc6 2\.36-9\+deb12u1, planted in our own SBOM/m],
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

function match(type: string, state: string): GrypeReport["matches"][number] {
  return {
    vulnerability: {
      id: "CVE-2026-0001",
      severity: "High",
      fix: { state, versions: state === "fixed" ? ["2.0"] : [] },
    },
    artifact: { name: "some", version: "1.0", type },
  };
}

function packagesOf(sbom: string): readonly object[] {
  return (JSON.parse(sbom) as { readonly packages: readonly object[] }).packages;
}

function runScan(env: Readonly<Record<string, string>>) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, SCRIPT], { env: { ...process.env, ...env } });
  return { code: exitCode, said: stdout.toString() + stderr.toString() };
}
