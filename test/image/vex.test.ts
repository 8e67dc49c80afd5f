import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { builtCases } from "../support/built-images";
import { VEX_PATH, readVex } from "../../scripts/image/vex/document";
import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";

/** The functions of libc6 that lead to the code of a vulnerability. */
const GLOB = ["glob", "glob64", "wordexp"];
const REGEX = [
  "regcomp",
  "regexec",
  "re_compile_pattern",
  "re_search",
  "re_search_2",
  "re_match",
  "re_match_2",
  "rpmatch",
];
const LEADING_TO: Readonly<Record<string, readonly string[]>> = {
  "CVE-2010-4756": GLOB,
  "CVE-2018-20796": REGEX,
  "CVE-2019-9192": REGEX,
};

test("each statement about code that is not executed is checked here", () => {
  const statements = readVex(VEX_PATH)?.statements ?? [];
  const notExecuted = statements.filter(
    (statement) =>
      statement.status === "not_affected" && statement.justification === "vulnerable_code_not_in_execute_path",
  );
  expect(notExecuted.map(({ vulnerability }) => vulnerability.name).toSorted()).toEqual(
    Object.keys(LEADING_TO).toSorted(),
  );
});

describe.each(["x64", "arm64"])("the executable for %s", (architecture) => {
  test("imports no function of libc6 that leads to such code", async () => {
    await needPrograms({ readelf: "binutils" });
    const executable = join(import.meta.dirname, `../../dist/release/livenessprobe-linux-${architecture}`);
    const symbols = await run(["readelf", "--wide", "--dyn-syms", executable]);
    const imported = [...symbols.matchAll(/ UND (\w+)@GLIBC/g)].map(([, name]) => name);
    expect(imported).toContain("getaddrinfo");
    const leading = new Set(Object.values(LEADING_TO).flat());
    expect(imported.filter((name = "") => leading.has(name))).toEqual([]);
  });
});

test.each(builtCases(["livenessprobe", "livenessprobe-nonroot", "livenessprobe-dev"]))(
  "CVE-2019-1010023 is in ldd, and $variant for $architecture has no ldd",
  ({ image }) => {
    expect([...image.files().keys()].filter((path) => path.endsWith("/ldd"))).toEqual([]);
  },
);
