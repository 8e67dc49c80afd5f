import { expect, test } from "bun:test";
import { renderDocument, renderInspectionJson, renderNodeJson } from "../../src/terminal/json";
import { golden } from "../support/golden";
import {
  HOSTILE_INSPECTION,
  HOSTILE_REPORT,
  NODE_REPORT,
  nodeReport,
  STOPPED_INSPECTION,
} from "../support/sample-reports";

const HEAD = '{\n  "apiVersion": "livenessprobe/v1",\n  "kind": "DriverList"';

test.each([
  ["nothing more", {}, ""],
  ["text and numbers", { a: "x", b: 1.5 }, ',\n  "a": "x",\n  "b": 1.5'],
  ["lists", { a: ["x"] }, ',\n  "a": [\n    "x"\n  ]'],
  ["members that are undefined, which are left out", { a: undefined }, ""],
  ["letters and emoji", { a: "é日😀" }, ',\n  "a": "é日😀"'],
  ["what could steer a terminal", { a: "\u001b\u007f\u009b\n\u202e" }, ',\n  "a": "\\u001b\\u007f\\u009b\\n\\u202e"'],
  ["a name that could", { "\u009b": 1 }, ',\n  "\\u009b": 1'],
  ["what is not printable beyond 16 bits", { a: "\u{e0001}" }, ',\n  "a": "\\udb40\\udc01"'],
  ["a lone surrogate, which other parsers refuse", { a: "\ud800" }, ',\n  "a": "\ufffd"'],
])("a document of %s", (_, members, text) => {
  expect(renderDocument("DriverList", members)).toBe(`${HEAD}${text}\n}\n`);
});

test("a node is the golden document", () => {
  const json = renderNodeJson(NODE_REPORT);
  expect(json).toBe(golden(new URL("list-json.golden.txt", import.meta.url), json));
});

test("no drivers are an empty list", () => {
  expect(JSON.parse(renderNodeJson(nodeReport([], { looked: ["/a: no sockets"] })))).toEqual({
    apiVersion: "livenessprobe/v1",
    kind: "DriverList",
    items: [],
    complete: true,
    looked: ["/a: no sockets"],
    notes: [],
  });
});

test("what hostile drivers say is there to the letter, and cannot steer a terminal", () => {
  const json = renderNodeJson(HOSTILE_REPORT);
  expect(json.replaceAll("\n", "")).not.toMatch(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  const { items } = JSON.parse(json);
  expect(items.map(({ driver }: { readonly driver: string | undefined }) => driver)).toEqual(
    HOSTILE_REPORT.drivers.map(({ driver }) => driver),
  );
});

test("an inspection is the golden document", () => {
  const json = renderInspectionJson(STOPPED_INSPECTION);
  expect(json).toBe(golden(new URL("inspect-json.golden.txt", import.meta.url), json));
});

test("what a hostile driver says is there to the letter, and cannot steer a terminal", () => {
  const json = renderInspectionJson(HOSTILE_INSPECTION);
  expect(json.replaceAll("\n", "")).not.toMatch(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  expect(JSON.parse(json)).toMatchObject({ driver: HOSTILE_INSPECTION.driver, verdict: HOSTILE_INSPECTION.verdict });
});
