import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { findOwnFiles } from "../../src/installation/installation";

const MAPS = readFileSync("/proc/self/maps", "utf8");

test("the executable, its loader and its libraries are found by what is mapped, whatever else is", () => {
  const other = "7f0000000000-7f0000001000 r--p 00000000 08:01 42                         /etc/passwd\n";
  const [executable, loader, ...libraries] = findOwnFiles(other + MAPS);
  expect(executable).toEqual({ path: process.execPath, as: "livenessprobe" });
  expect(loader).toEqual({ path: expect.stringMatching(/\/ld-linux[^/]*$/), as: "lib/ld.so" });
  const names = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];
  expect(libraries.map(({ path }) => basename(path))).toEqual(names);
  expect(libraries.map(({ as }) => as)).toEqual(names.map((name) => `lib/${name}`));
});

test("without a loader it is refused", () => {
  expect(() => findOwnFiles("")).toThrow("install finds no loader among what this process has mapped");
});
