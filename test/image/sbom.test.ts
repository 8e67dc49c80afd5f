import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type Component, flatten } from "../../scripts/image/contents/component";
import { executableContents } from "../../scripts/image/contents/bundled";
import { type DebianArchitecture, type LockedDeb, lockedDeb, readLock } from "../../scripts/image/inputs/lock";
import { licenceNotices } from "../../scripts/image/contents/notices";
import { writeReleaseSbom } from "../../scripts/image/contents/sbom";
import { VARIANT_NAMES, type Variant } from "../../scripts/image/variants";
import { runProgram } from "../../scripts/run";
import { tool } from "../../scripts/tools/tool";
import { type OciImage, imageOf, openLayout, readImageFile } from "../../scripts/image/oci/layout";
import { type SpdxReading, contained, missingFrom, purlsOf } from "../support/spdx";
import { temporaryDirectory } from "../../scripts/temporary";

const DIST = join(import.meta.dirname, "../../dist");
const SBOMS = join(DIST, "image/sbom");
const IN_IMAGE = "/var/lib/db/sbom/";
const EXECUTABLE = "/usr/bin/livenessprobe";
const TOOL_BOUND_MS = 240_000;

const ARCHITECTURES = ["amd64", "arm64"] as const;
const SPDX_NAMES: Readonly<Record<DebianArchitecture, string>> = { amd64: "x86_64", arm64: "aarch64" };
const IMAGES = VARIANT_NAMES.flatMap((variant) =>
  ARCHITECTURES.map((architecture) => [variant, architecture] as const),
);

const RELEASE_NAMES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "livenessprobe-linux-x64",
  arm64: "livenessprobe-linux-arm64",
};
const CONTENTS: Readonly<Record<DebianArchitecture, readonly Component[]>> = {
  amd64: await executableContents("amd64"),
  arm64: await executableContents("arm64"),
};
const NOTICES = await licenceNotices();
/**
 * Our own, those of the npm packages, of Bun and of what Bun links. A new Bun may change it: then read its page of
 * licences.
 */
const JOINT_LICENCE = [
  "Apache-2.0",
  "MIT",
  "LGPL-2.0-only",
  "BSD-3-Clause",
  "BSD-2-Clause",
  "(Artistic-1.0-Perl OR GPL-1.0-or-later OR MIT)",
  "(BSD-3-Clause OR GPL-2.0-only)",
  "LGPL-2.1-only",
  "Zlib",
  "Unicode-3.0",
  "IJG",
  "libpng-2.0",
  "(CC0-1.0 OR BSD-2-Clause)",
  "blessing",
].join(" AND ");

let built: OciImage;
let ofImage: SpdxReading;

describe.each(IMAGES)("%s for %s", (variant, architecture) => {
  // One at a time: an image has 115 MB.
  beforeAll(() => {
    built = imageOf(openLayout(join(DIST, "image", variant)), architecture);
    ofImage = readSpdx(readFileSync(sbomPath(variant, architecture)));
  });

  test("the SBOM of the image names all that is in the executable, and Debian's packages", () => {
    expect(missingFrom(ofImage, expected(variant, architecture))).toEqual([]);
  });

  test("so do the SBOMs in its layers, together", () => {
    expect(missingFrom(joined(sbomsIn(built)), expected(variant, architecture))).toEqual([]);
  });

  test("each file that an SBOM names has its hash, the executable among them", () => {
    const files = contained(ofImage).filter(({ name }) => name.startsWith("/"));
    expect(files.map(({ name }) => name)).toContain(EXECUTABLE);
    expect(files.map(({ name, checksums }) => [name, checksums])).toEqual(
      files.map(({ name }) => [name, [{ algorithm: "SHA256", checksumValue: sha256(readImageFile(built, name)) }]]),
    );
  });

  test("the executable is under the licences of all that is in it", () => {
    const executable = contained(ofImage).find(({ name }) => name === EXECUTABLE);
    expect(executable?.licenseDeclared).toBe(JOINT_LICENCE);
  });

  test("each file of the layers is in an SBOM, but for what apko writes and the SBOMs themselves", () => {
    const named = new Set(contained(ofImage).map(({ name }) => name));
    const unnamed = [...built.files().values()].filter(
      ({ path, type }) => type === "file" && !named.has(path) && !path.startsWith(IN_IMAGE),
    );
    expect(unnamed.filter(({ path }) => !/^\/etc\/|^\/usr\/lib\/apk\//.test(path))).toEqual([]);
  });

  test("no other architecture's packages are named", () => {
    const other = architecture === "amd64" ? /aarch64|arm64/ : /x86_64|amd64|x64/;
    expect(
      contained(ofImage)
        .flatMap(purlsOf)
        .filter((purl) => other.test(purl)),
    ).toEqual([]);
  });

  test("a scanner finds Debian's release, and libc6 as dpkg would have left it", () => {
    const osRelease = text(built, "/etc/os-release");
    expect(osRelease).toMatch(/^ID=debian$/m);
    expect(osRelease).toMatch(new RegExp(`^VERSION_ID="${readLock().debian}"$`, "m"));
    const control = text(built, "/var/lib/dpkg/status.d/libc6");
    const { version } = lockedDeb(readLock(), "libc6");
    const fields = ["Package: libc6", "Source: glibc", `Version: ${version}`, `Architecture: ${architecture}`];
    for (const field of fields) expect(`\n${control}`).toContain(`\n${field}\n`);
  });

  test("the licences that it is under are there", () => {
    for (const notice of NOTICES) expect(text(built, notice.path)).toBe(notice.text);
  });
});

test.each(["npm @grpc/grpc-js", "npm scule", "runtime bun", "linked boringssl", "embedded acorn", "deb libc6"])(
  "a planted gap is seen: %s",
  (what) => {
    const [kind, name] = what.split(" ");
    const sbom = readSpdx(readFileSync(sbomPath("livenessprobe", "amd64")));
    const planted = { ...sbom, packages: sbom.packages.filter((found) => found.name !== name) };
    const wanted = expected("livenessprobe", "amd64");
    const component = flatten(wanted).find((each) => each.kind === kind && each.name === name);
    expect(missingFrom(planted, wanted)).toEqual([[what, component?.version ?? []].flat().join(" ")]);
  },
);

test(
  "every SBOM is valid SPDX: beside the images, and in their layers",
  async () => {
    using directory = temporaryDirectory();
    const beside = VARIANT_NAMES.flatMap((variant) =>
      readdirSync(join(SBOMS, variant)).map((n) => join(SBOMS, variant, n)),
    );
    const inside = ARCHITECTURES.flatMap((architecture) => {
      // The variant with the most packages in it.
      const dev = imageOf(openLayout(join(DIST, "image/livenessprobe-dev")), architecture);
      mkdirSync(join(directory.path, architecture));
      return sbomPaths(dev).map((path) => {
        const copy = join(directory.path, architecture, basename(path));
        writeFileSync(copy, readImageFile(dev, path));
        return copy;
      });
    });
    expect(beside).toHaveLength(VARIANT_NAMES.length * 3);
    expect(inside).toHaveLength(8);
    const validator = await tool("pyspdxtools");
    // In pairs: each takes seconds, and the machine has other things to do.
    const files = [...beside, ...inside];
    for (let at = 0; at < files.length; at += 2)
      await Promise.all(files.slice(at, at + 2).map(async (file) => runProgram(validator, ["-i", file])));
  },
  TOOL_BOUND_MS,
);

test(
  "an SBOM that is not valid is refused",
  async () => {
    using directory = temporaryDirectory();
    const sbom = readFileSync(sbomPath("livenessprobe", "amd64"), "utf8");
    const broken = join(directory.path, "broken.spdx.json");
    writeFileSync(broken, sbom.replace('"Organization: Oven"', '"Oven"'));
    await expect(runProgram(await tool("pyspdxtools"), ["-i", broken])).rejects.toThrow("Actor Oven");
  },
  TOOL_BOUND_MS,
);

describe.each(ARCHITECTURES)("the executable of a release for %s", (architecture) => {
  test(
    "has a valid SBOM in SPDX with its hash and all that it is made of, the same each time",
    async () => {
      using directory = temporaryDirectory();
      const executable = join(directory.path, RELEASE_NAMES[architecture]);
      symlinkSync(join(DIST, "release", RELEASE_NAMES[architecture]), executable);
      const path = await writeReleaseSbom(executable, architecture, 1);
      expect(path).toBe(`${executable}.spdx.json`);
      const sbom = readFileSync(path, "utf8");
      expect(readFileSync(await writeReleaseSbom(executable, architecture, 1), "utf8")).toBe(sbom);
      const itself: Component = {
        kind: "executable",
        name: basename(executable),
        version: packageJson.version,
        licence: JOINT_LICENCE,
        checksum: { algorithm: "SHA256", value: sha256(readFileSync(executable)) },
        parts: CONTENTS[architecture],
      };
      expect(missingFrom(readSpdx(readFileSync(path)), [itself])).toEqual([]);
      expect(readSpdx(readFileSync(path)).packages[0]).toMatchObject({
        name: basename(executable),
        licenseDeclared: JOINT_LICENCE,
      });
      await runProgram(await tool("pyspdxtools"), ["-i", path]);
    },
    TOOL_BOUND_MS,
  );
});

function expected(variant: Variant, architecture: DebianArchitecture): readonly Component[] {
  const lock = readLock();
  const shell =
    variant === "livenessprobe-dev" ? [deb(lockedDeb(lock, "busybox-static"), architecture, "busybox")] : [];
  return [...CONTENTS[architecture], deb(lockedDeb(lock, "libc6"), architecture, "glibc"), ...shell];
}

/** Written out here, so that it is not what is tested that says what is right. */
function deb({ name, version, files }: LockedDeb, architecture: DebianArchitecture, source: string): Component {
  // A second build of the same source has a version of its own: +b1 (Debian Policy, 3.2.1).
  const sourceVersion = version.replace(/\+b\d+$/, "");
  const upstream = sourceVersion === version ? source : `${source}@${sourceVersion}`;
  const qualifiers = `arch=${architecture}&distro=debian-${readLock().debian}&upstream=${encode(upstream)}`;
  const checksum = { algorithm: "SHA256", value: files[architecture].sha256 } as const;
  return {
    kind: "deb",
    name,
    version,
    purl: `pkg:deb/debian/${name}@${encode(version)}?${qualifiers}`,
    licence: "",
    checksum,
  };
}

function encode(part: string): string {
  return part.replaceAll("+", "%2B").replaceAll("@", "%40");
}

function sbomPath(variant: Variant, architecture: DebianArchitecture): string {
  return join(SBOMS, variant, `sbom-${SPDX_NAMES[architecture]}.spdx.json`);
}

function sbomPaths(image: OciImage): readonly string[] {
  return [...image.files().keys()].filter((path) => path.startsWith(IN_IMAGE));
}

function sbomsIn(image: OciImage): readonly SpdxReading[] {
  return sbomPaths(image).map((path) => readSpdx(readImageFile(image, path)));
}

function joined(sboms: readonly SpdxReading[]): SpdxReading {
  return {
    documentDescribes: sboms.flatMap(({ documentDescribes = [] }) => documentDescribes),
    packages: sboms.flatMap(({ packages }) => packages),
    relationships: sboms.flatMap(({ relationships }) => relationships),
  };
}

function readSpdx(bytes: Uint8Array): SpdxReading {
  // Held to SPDX's schema by the test below.
  return JSON.parse(Buffer.from(bytes).toString()) as SpdxReading;
}

function text(image: OciImage, path: string): string {
  return Buffer.from(readImageFile(image, path)).toString();
}

function sha256(content: Uint8Array): string {
  return Bun.SHA256.hash(content, "hex");
}
