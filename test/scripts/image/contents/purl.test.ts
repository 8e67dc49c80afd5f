import { expect, test } from "bun:test";
import { githubPurl, npmPurl, purl, purlMatches } from "../../../../scripts/image/contents/purl";

const LIBC6 = { type: "deb", namespace: "debian", name: "libc6", version: "2.36-9+deb12u14" } as const;

test.each([
  ["a package", npmPurl("citty", "0.2.2"), "pkg:npm/citty@0.2.2"],
  ["a scope, which is the namespace", npmPurl("@grpc/grpc-js", "1.14.7"), "pkg:npm/%40grpc/grpc-js@1.14.7"],
  ["no version", npmPurl("url"), "pkg:npm/url"],
  ["a plus in a version", purl(LIBC6), "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14"],
  ["an epoch, whose colon stays", purl({ ...LIBC6, version: "1:2" }), "pkg:deb/debian/libc6@1:2"],
  [
    "qualifiers, by name",
    purl({ ...LIBC6, version: "1", qualifiers: { distro: "debian-12", arch: "amd64", upstream: "g@1+b" } }),
    "pkg:deb/debian/libc6@1?arch=amd64&distro=debian-12&upstream=g%401%2Bb",
  ],
  ["a repository, in small letters", githubPurl("oven-sh/WebKit", "abc"), "pkg:github/oven-sh/webkit@abc"],
  [
    "a directory in it",
    githubPurl("oven-sh/bun", "abc", "packages/bun-uws"),
    "pkg:github/oven-sh/bun@abc#packages/bun-uws",
  ],
  ["what a URI would let pass", purl({ type: "generic", name: "a!'()*~" }), "pkg:generic/a%21%27%28%29%2A~"],
])("%s", (_, actual, expected) => {
  expect(actual).toBe(expected);
});

const FOUND = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12";

test.each([
  ["its whole purl", FOUND, true],
  ["its name alone", "pkg:deb/debian/libc6", true],
  ["its version, with a bare plus", "pkg:deb/debian/libc6@2.36-9+deb12u14", true],
  ["another version", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13", false],
  ["another architecture", "pkg:deb/debian/libc6?arch=arm64", false],
  ["a package whose name is longer", "pkg:deb/debian/libc6-dev", false],
  ["a package of another distribution", "pkg:deb/ubuntu/libc6", false],
])("a statement names libc6 of Debian by %s: %s, %p", (_, general, matches) => {
  expect(purlMatches(general, FOUND)).toBe(matches);
});
