import { expect, test } from "bun:test";
import { readReference } from "../../../../scripts/image/oci/reference";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

test.each([
  ["a tag", "registry.example/name:0.1.0", { repository: "registry.example/name", tag: "0.1.0" }],
  ["neither tag nor digest", "registry.example/name", { repository: "registry.example/name" }],
  ["a digest", `registry.example/name@${DIGEST}`, { repository: "registry.example/name", digest: DIGEST }],
  ["both", `registry.example/name:v1@${DIGEST}`, { repository: "registry.example/name", tag: "v1", digest: DIGEST }],
  ["a port and a path", "127.0.0.1:5000/team/name:1", { repository: "127.0.0.1:5000/team/name", tag: "1" }],
  ["a port, and no tag", "localhost:5000/name", { repository: "localhost:5000/name" }],
])("a reference with %s", (_, text, expected) => {
  expect(readReference(text)).toEqual(expected);
});

test.each([
  ["no host", "name:1"],
  ["a host that might be a path", "team/name:1"],
  ["nothing behind the host", "registry.example/"],
  ["a short digest", "registry.example/name@sha256:0123"],
  ["capitals", "registry.example/Name:1"],
  ["nothing", ""],
])("is refused with %s", (_, text) => {
  expect(() => readReference(text)).toThrow(`${text} is not a reference of an image: write HOST/NAME:TAG`);
});
