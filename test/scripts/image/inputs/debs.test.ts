import { expect, test } from "bun:test";
import type { UnpackedDeb } from "../../../../scripts/image/inputs/debs";
import { debComponent } from "../../../../scripts/image/inputs/debs";
import { readLock } from "../../../../scripts/image/inputs/lock";

test.each<[string, string, string, string, string]>([
  [
    "of another source package",
    "Package: libc6\nSource: glibc\n",
    "2.36-9+deb12u14",
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=arm64&distro=debian-12&upstream=glibc",
    "glibc 2.36-9+deb12u14",
  ],
  [
    "built again from an older source",
    "Package: libc6\nSource: glibc (1:2-1)\n",
    "1:2-1+b1",
    "pkg:deb/debian/libc6@1:2-1%2Bb1?arch=arm64&distro=debian-12&upstream=glibc%401:2-1",
    "glibc 1:2-1",
  ],
  [
    "of its own name, built again from an older source",
    "Package: libc6\nSource: libc6 (1)\n",
    "1+b1",
    "pkg:deb/debian/libc6@1%2Bb1?arch=arm64&distro=debian-12&upstream=libc6%401",
    "libc6 1",
  ],
  [
    "of the source package of its name",
    "Package: libc6\n",
    "1",
    "pkg:deb/debian/libc6@1?arch=arm64&distro=debian-12",
    "libc6 1",
  ],
])("a package %s", (_, control, version, purl, source) => {
  expect(debComponent(unpacked(version, control), { ...readLock(), debian: "12" }, "LGPL-2.1-or-later")).toEqual({
    kind: "deb",
    name: "libc6",
    version,
    purl,
    licence: "LGPL-2.1-or-later",
    downloadLocation: "https://deb.debian.org/debian-security/pool/libc6.deb",
    checksum: { algorithm: "SHA256", value: "arm64" },
    supplier: "Debian",
    note: `built package from: ${source}`,
  });
});

function unpacked(version: string, control: string): UnpackedDeb {
  const files = { amd64: file("amd64"), arm64: file("arm64") };
  return { deb: { name: "libc6", version, files }, architecture: "arm64", root: "/nowhere", control };
}

function file(sha256: string) {
  return { archive: "debian-security", path: "pool/libc6.deb", sha256 };
}
