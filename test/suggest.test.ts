import { expect, test } from "bun:test";
import { suggest } from "../src/suggest";

test.each([
  ["chekc", "check"],
  ["list ", "list"],
  ["lst", "list"],
  ["instal", "install"],
  ["checkout", undefined],
  ["/csi/csi.sock", undefined],
  ["ls", undefined],
  ["x", undefined],
  ["", undefined],
])("%j meant %j", (word, meant) => {
  expect(suggest(word, ["serve", "check", "list", "inspect", "install"])).toBe(meant);
});
