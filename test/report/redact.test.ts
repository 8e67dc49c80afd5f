import { expect, test } from "bun:test";
import { redactDocument } from "../../src/report/redact";
import { inspectionMembers, nodeMembers } from "../../src/terminal/json";
import { NODE_REPORT, STOPPED_INSPECTION } from "../support/sample-reports";

test("each text of a document is looked at, and what was cut is named by its place", () => {
  const document = { a: ["password=hunter2", { b: "user=alice token=hunter2" }], c: 1, d: true, e: undefined };
  expect(redactDocument(document)).toEqual({
    part: { a: ["password=[redacted]", { b: "user=[redacted] token=[redacted]" }], c: 1, d: true, e: undefined },
    redactions: [
      { where: "a[0]", kind: "named secret", count: 1 },
      { where: "a[1].b", kind: "user name", count: 1 },
      { where: "a[1].b", kind: "named secret", count: 1 },
    ],
  });
});

test("a member that is named as a secret is cut whole, and so is a log", () => {
  expect(redactDocument({ a: { apiKey: { b: "hunter2" }, log: ["hunter2", "hunter2"] } })).toEqual({
    part: { a: { apiKey: "[redacted]", log: ["[redacted]"] } },
    redactions: [
      { where: "a.apiKey", kind: "named secret", count: 1 },
      { where: "a.log", kind: "container log", count: 2 },
    ],
  });
});

test("a value is named by the member beside it, and an item of a list by the flag before it", () => {
  const document = { env: [{ name: "DB_PASSWORD", value: "hunter2" }], args: ["--token", "hunter2", "-v", "5"] };
  expect(redactDocument(document)).toEqual({
    part: { env: [{ name: "DB_PASSWORD", value: "[redacted]" }], args: ["--token", "[redacted]", "-v", "5"] },
    redactions: [
      { where: "env[0].value", kind: "named secret", count: 1 },
      { where: "args[1]", kind: "named secret", count: 1 },
    ],
  });
});

test("a secret in a member's name is cut there, too", () => {
  const { part, redactions } = redactDocument({ "password=hunter2": "a" });
  expect(JSON.stringify({ part, redactions })).not.toContain("hunter2");
});

test.each([
  ["the list of a node", nodeMembers(NODE_REPORT)],
  ["an inspection", inspectionMembers(STOPPED_INSPECTION)],
])("nothing of ours is taken for a secret: %s", (_, document) => {
  expect(redactDocument(document)).toEqual({ part: document, redactions: [] });
});
