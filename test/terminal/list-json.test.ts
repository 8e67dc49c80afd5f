import { expect, test } from "bun:test";
import { renderNodeJson } from "../../src/terminal/list-json";
import { golden } from "../support/golden";
import { HOSTILE_REPORT, NODE_REPORT, nodeReport } from "../support/sample-reports";

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
