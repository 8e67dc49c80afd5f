import { expect, test } from "bun:test";
import type { Root } from "../../../src/node/rooted-path";
import { nextCommands } from "../../../src/inspection/next-commands";
import { openNode } from "../../../src/inspection/node-view";
import { takePathSteps } from "../../../src/inspection/steps/path";
import { makeNode } from "../../support/made-node";

test.each([
  ["another uid", 65_532, "run this as uid 0"],
  ["uid 0", 0, "run this with the capability DAC_READ_SEARCH"],
])("a directory that denies us is told with what %s lacks", async (_, uid, remedy) => {
  await using made = makeNode();
  const node = await openNode({ rootDir: made.rootDir, kubeletDirs: [] });
  const root: Root = { ...node.root, resolve: () => ({ kind: "notPermitted", path: "/csi" }) };
  const self = { program: ["livenessprobe"], flags: [] };
  const next = nextCommands(root, self, { pid: undefined, pod: undefined });
  const taken = takePathSteps({ ...node, root, uid }, "/csi/csi.sock", { next, byName: false });
  expect(taken.steps.map(({ outcome }) => outcome)).toEqual([
    { kind: "failed", details: [`/csi may not be looked at by uid ${uid}`], remedy, command: undefined },
    { kind: "notReached" },
  ]);
  expect(taken).toMatchObject({ kind: "ended", outcome: { kind: "failed", reason: "permission_denied" } });
});
