import { expect, test } from "bun:test";
import type { Root } from "../../src/node/rooted-path";
import { nextCommands } from "../../src/inspection/next-commands";
import { takePathSteps } from "../../src/inspection/path-steps";
import { makeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";

test.each([
  ["another uid", 65_532, "run this as uid 0", "sudo livenessprobe inspect /csi/csi.sock --root /host"],
  ["uid 0", 0, "run this with the capability DAC_READ_SEARCH", undefined],
])("a directory that denies us is told with what %s lacks", async (_, uid, remedy, command) => {
  await using node = makeNode();
  const place = { root: rootOf(node), places: { rootDir: "/host", kubeletDirs: [] }, socketPath: "/csi/csi.sock" };
  const root: Pick<Root, "resolve"> = { resolve: () => ({ kind: "notPermitted", path: "/csi" }) };
  const taken = takePathSteps(root, "/csi/csi.sock", uid, nextCommands(place, { pid: undefined, pod: undefined }));
  expect(taken.steps.map(({ outcome }) => outcome)).toEqual([
    { kind: "failed", details: ["we may not look there"], remedy, command },
    { kind: "notReached" },
  ]);
  expect(taken).toMatchObject({ kind: "ended", outcome: { kind: "failed", reason: "permission_denied" } });
});
