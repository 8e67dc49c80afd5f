import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { lockedDeb, readLock } from "../../scripts/image/inputs/lock";
import { plant } from "../../scripts/image/scan";
import { PRODUCT, VEX_PATH, readVex } from "../../scripts/image/vex/document";
import { isBuilt, tool } from "../../scripts/tools/tool";
import { temporaryDirectory } from "../../scripts/temporary";
import { startRegistry } from "../support/registry";
import { runToEnd } from "../support/run-to-end";
import { pushBuilt, succeeded } from "../support/signing";
import { type Advisory, writeVulnerabilityDatabase } from "../support/vulnerability-database";

const SCRIPT = join(import.meta.dir, "../../scripts/image/scan.ts");
const SBOM = join(BUILT_DIRECTORY, "sbom/livenessprobe/sbom-x86_64.spdx.json");
const OURS = lockedDeb(readLock(), "libc6").version;

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

// It takes five minutes to build, so it is left to who scans: `bun run image:scan` builds it, and plants an old libc6
// itself.
const scanner = await isBuilt("grype");
if (!scanner)
  console.warn("The scan of the built images is not tested: run bun run image:scan once, which builds grype.");

describe.if(scanner)("the scan of the built images", () => {
  const looneyTunables: Advisory = { vulnerability: "CVE-2023-4911", source: "glibc", fixedIn: "2.36-9+deb12u3" };
  const unfixed: Advisory = { vulnerability: "CVE-2026-0001", source: "glibc" };

  test.each([
    [
      "with a database that has what is planted says that it sees it, and which statements nothing needs",
      [looneyTunables],
      {
        code: 0,
        said: [
          /^planted: CVE-2023-4911 of libc6 2\.36-9\+deb12u1 is reported\n/,
          /^livenessprobe-dev arm64:\nNo vulnerabilities found$/m,
          /^warning: .*vex\.json: CVE-2026-0001 in pkg:deb\/debian\/libc6: the scan does not find it/m,
          /^warning: .*vex\.json: CVE-2026-0001 in pkg:deb\/debian\/libc6@2\.36-8: no image has this package any more/m,
        ],
      },
    ],
    [
      "tells what a statement says, and passes",
      [looneyTunables, unfixed],
      {
        code: 0,
        said: [
          /^livenessprobe amd64:\nNAME .*VULNERABILITY .*\nlibc6 .* deb .*CVE-2026-0001 .*High/m,
          /^CVE-2026-0001 in pkg:deb\/debian\/libc6@2.*: not_affected: vulnerable_code_not_in_execute_path$/m,
        ],
      },
    ],
    [
      "fails where there is no statement, also about what is in -dev alone",
      [looneyTunables, unfixed, { vulnerability: "CVE-2026-0003", source: "busybox" }],
      {
        code: 1,
        said: [
          /^livenessprobe-dev amd64:\n(.*\n)+busybox-static /m,
          /^CVE-2026-0003 in pkg:deb\/debian\/busybox-static@\S+: no statement: run bun run image:scan --draft/m,
        ],
      },
    ],
    [
      "fails where Debian has fixed what we have",
      [looneyTunables, { vulnerability: "CVE-2026-0002", source: "glibc", fixedIn: "2.36-9+deb12u999" }],
      {
        code: 1,
        said: [
          /^libc6 .*2\.36-9\+deb12u999 .*CVE-2026-0002/m,
          /^CVE-2026-0002 in pkg:deb\/debian\/libc6@\S+: Debian has a fix, 2\.36-9\+deb12u999: run bun run image:lock$/m,
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
    const vex = writeVex(directory.path);
    const { code, said } = runScan(await writeVulnerabilityDatabase(directory.path, advisories), "--vex", vex);
    expect([code, said]).toEqual([expected.code, expect.any(String)]);
    for (const pattern of expected.said) expect(said).toMatch(pattern);
  });

  test("adds a draft to the statements, and fails until it is completed", async () => {
    using directory = temporaryDirectory();
    const vex = writeVex(directory.path);
    const env = await writeVulnerabilityDatabase(directory.path, [
      looneyTunables,
      { vulnerability: "CVE-2026-0003", source: "busybox" },
    ]);
    const drafted = runScan(env, "--vex", vex, "--draft");
    expect([drafted.code, drafted.said]).toEqual([1, expect.stringContaining("vex.json has a draft: give it")]);
    const text = readFileSync(vex, "utf8");
    expect(text).toContain('"@id": "pkg:deb/debian/busybox-static@');
    writeFileSync(
      vex,
      text.replace('"under_investigation"', '"not_affected", "impact_statement": "It is not called."'),
    );
    const completed = runScan(env, "--vex", vex);
    expect([completed.code, completed.said]).toEqual([0, expect.stringContaining("not_affected: It is not called.")]);
  });

  // As docs/verify.md has it.
  test("agrees with grype --vex, which scans the image", async () => {
    using directory = temporaryDirectory();
    await using registry = await startRegistry();
    const image = `${registry.address}/owner/csi-livenessprobe:0.1.0`;
    succeeded(await pushBuilt(BUILT_DIRECTORY, image));
    const advisories = [unfixed, { vulnerability: "CVE-2026-0002", source: "glibc" }];
    const env = await writeVulnerabilityDatabase(directory.path, advisories);
    const { command } = await tool("grype");
    const { stdout } = succeeded(
      await runToEnd([...command, `registry:${image}`, "--vex", writeVex(directory.path)], {
        ...env,
        GRYPE_REGISTRY_INSECURE_USE_HTTP: "true",
      }),
    );
    expect(stdout).toContain("CVE-2026-0002");
    expect(stdout).not.toContain("CVE-2026-0001");
  });

  test("says why the database cannot be fetched", () => {
    using directory = temporaryDirectory();
    const { code, said } = runScan({
      GRYPE_DB_CACHE_DIR: directory.path,
      GRYPE_DB_UPDATE_URL: "http://localhost:1/latest.json",
    });
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/database does not exist.*localhost:1.*connection refused/),
    ]);
  });

  test("fails without a database", () => {
    using directory = temporaryDirectory();
    const { code, said } = runScan({ GRYPE_DB_CACHE_DIR: directory.path, GRYPE_DB_AUTO_UPDATE: "false" });
    expect([code, said]).toEqual([1, expect.stringContaining("database does not exist")]);
  });
});

/** A statement about CVE-2026-0001 in libc6, and one about a version that no image has. */
function writeVex(directory: string): string {
  const path = join(directory, "vex.json");
  const statements = ["pkg:deb/debian/libc6", "pkg:deb/debian/libc6@2.36-8"].map((purl) => ({
    vulnerability: { name: "CVE-2026-0001" },
    products: [{ "@id": PRODUCT, subcomponents: [{ "@id": purl }] }],
    timestamp: "2026-11-26T00:00:00Z",
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  }));
  writeFileSync(path, JSON.stringify({ ...readVex(VEX_PATH), statements }));
  return path;
}

function packagesOf(sbom: string): readonly object[] {
  return (JSON.parse(sbom) as { readonly packages: readonly object[] }).packages;
}

function runScan(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, SCRIPT, ...args], {
    env: { ...process.env, ...env },
  });
  return { code: exitCode, said: stdout.toString() + stderr.toString() };
}
