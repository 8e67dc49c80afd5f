import { expect, test } from "bun:test";
import type { Root } from "../src/node/rooted-path";
import { takePathSteps } from "../src/path-steps";

test.each([
  ["another uid", 65_532, "run this as uid 0"],
  ["uid 0", 0, "run this with the capability DAC_READ_SEARCH"],
])("a directory that denies us is told with what %s lacks", (_, uid, remedy) => {
  const root: Pick<Root, "resolve"> = { resolve: () => ({ kind: "notPermitted", path: "/csi" }) };
  const { steps, socket } = takePathSteps(root, "/csi/csi.sock", uid);
  expect(steps.map(({ outcome }) => outcome)).toEqual([
    { kind: "failed", details: ["we may not look there"], remedy },
    { kind: "notReached" },
  ]);
  expect(socket).toBeUndefined();
});
