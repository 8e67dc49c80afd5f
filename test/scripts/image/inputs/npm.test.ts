import { expect, test } from "bun:test";
import packageJson from "../../../../package.json" with { type: "json" };
import { installedPackages, integrityChecksum, lockedPackage, npmArchive } from "../../../../scripts/image/inputs/npm";

test("a package has the version of bun.lock, and its integrity in hexadecimal", () => {
  const { version, checksum } = lockedPackage("citty");
  expect(version).toBe(packageJson.dependencies.citty);
  expect([checksum.algorithm, checksum.value.length]).toEqual(["SHA512", 128]);
  const base64 = Buffer.from([...Array(64).keys()]).toString("base64");
  expect(integrityChecksum(`sha512-${base64}`).value).toStartWith("000102030405");
});

test("a package that is not locked is refused", () => {
  expect(() => lockedPackage("none")).toThrow("bun.lock has no npm package none: run bun install");
});

test("a build installs what package.json names, what that needs, and the Bun of each architecture", () => {
  const names = installedPackages().map(({ name }) => name);
  const { dependencies, devDependencies } = packageJson;
  const runtimes = ["@oven/bun-linux-x64", "@oven/bun-linux-aarch64"];
  expect(names).toEqual(expect.arrayContaining([...Object.keys({ ...dependencies, ...devDependencies }), ...runtimes]));
  // The build reads proto/ with @grpc/proto-loader, which needs it.
  expect(names).toContain("protobufjs");
  expect(names).not.toContain("@oven/bun-darwin-x64");
  expect(names).toEqual([...new Set(names)].toSorted());
});

test.each(["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha512-short", ""])(
  "an integrity of another form: %j",
  (integrity) => {
    expect(() => integrityChecksum(integrity)).toThrow(`An integrity must be sha512-BASE64, got ${integrity}`);
  },
);

test.each([
  ["citty", "https://registry.npmjs.org/citty/-/citty-1.0.0.tgz"],
  ["@grpc/grpc-js", "https://registry.npmjs.org/@grpc/grpc-js/-/grpc-js-1.0.0.tgz"],
])("npm's archive of %s", (name, url) => {
  expect(npmArchive(name, "1.0.0")).toBe(url);
});
