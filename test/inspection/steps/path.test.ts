import { expect, test } from "bun:test";
import type { Root } from "../../../src/node/rooted-path";
import { nextCommands } from "../../../src/inspection/next-commands";
import { takePathSteps } from "../../../src/inspection/steps/path";
import { makeNode } from "../../support/made-node";
import { rootOf } from "../../support/made-node-root";

test.each([
  ["another uid", 65_532, "run this as uid 0"],
  ["uid 0", 0, "run this with the capability DAC_READ_SEARCH"],
])("a directory that denies us is told with what %s lacks", async (_, uid, remedy) => {
  await using node = makeNode();
  const self = { program: ["livenessprobe"], flags: ["--root", "/host"] };
  const root: Pick<Root, "resolve"> = { resolve: () => ({ kind: "notPermitted", path: "/csi" }) };
  const next = nextCommands(rootOf(node), self, { pid: undefined, pod: undefined });
  const taken = takePathSteps(root, "/csi/csi.sock", { uid, next, byName: false });
  expect(taken.steps.map(({ outcome }) => outcome)).toEqual([
    { kind: "failed", details: [`/csi may not be looked at by uid ${uid}`], remedy, command: undefined },
    { kind: "notReached" },
  ]);
  expect(taken).toMatchObject({ kind: "ended", outcome: { kind: "failed", reason: "permission_denied" } });
});
