import { expect, test } from "bun:test";
import packageJson from "../../../package.json" with { type: "json" };
import { integrityChecksum, lockedChecksum, npmArchive } from "../../../scripts/image/npm-lock";

test("a checksum is the integrity of bun.lock, in hexadecimal", () => {
  const { algorithm, value } = lockedChecksum("citty", packageJson.dependencies.citty);
  expect([algorithm, value.length]).toEqual(["SHA512", 128]);
  const base64 = Buffer.from([...Array(64).keys()]).toString("base64");
  expect(integrityChecksum(`sha512-${base64}`).value).toStartWith("000102030405");
});

test("a version that is not locked is said", () => {
  expect(() => lockedChecksum("citty", "9.9.9")).toThrow("bun.lock has no integrity of citty@9.9.9: run bun install");
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
