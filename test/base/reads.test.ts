import { expect, test } from "bun:test";
import { readLink, readNames, readText, valueOf } from "../../src/base/reads";
import { makeNode } from "../support/made-node";
import { asNobody } from "../support/made-node-process";

test("a text, a link and the names in a directory are read", async () => {
  await using node = makeNode();
  node.file("/d/file", "text\n");
  node.link("/d/link", "/to/nowhere");
  expect(readText(node.outer("/d/file"))).toBe("text\n");
  expect(readLink(node.outer("/d/link"))).toEqual({ kind: "read", value: "/to/nowhere" });
  expect(valueOf(readNames(node.outer("/d")))?.toSorted()).toEqual(["file", "link"]);
});

test("what is not there is missing", () => {
  expect(readText("/proc/1073741824/comm")).toBe("");
  expect(readLink("/none")).toEqual({ kind: "missing" });
  expect(readNames("/none")).toEqual({ kind: "missing" });
  expect(valueOf(readNames("/none"))).toBeUndefined();
});

test("an error of another kind is told by its code", () => {
  expect(readText("/proc")).toBe("");
  expect(readLink("/proc")).toEqual({ kind: "failed", code: "EINVAL" });
});

test.if(process.getuid?.() === 0)("what another user may not read is not permitted", async () => {
  const script = `import { readLink, readNames } from "./src/base/reads";
    console.log(JSON.stringify([readLink("/proc/${process.pid}/root"), readNames("/proc/${process.pid}/fd")]));`;
  expect(await asNobody(script)).toEqual([{ kind: "notPermitted" }, { kind: "notPermitted" }]);
});
