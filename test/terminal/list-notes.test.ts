import { describe, expect, test } from "bun:test";
import type { DriverReport } from "../../src/inspection/report";
import { renderNodeNotes } from "../../src/terminal/list-notes";
import { escapeUnprintable } from "../../src/base/text";
import { HOSTILE_REPORT, NODE_REPORT, driverReport, nodeReport } from "../support/sample-reports";

const PIPE = { columns: undefined };
const DENIED = driverReport({
  outcome: { kind: "failed", reason: "permission_denied", message: "permission denied: x" },
});
const DRA = driverReport({ outcome: { kind: "notCsi", what: "DRAPlugin" } });
const DEBUG_NODE =
  "  kubectl debug node/NODE -n kube-system -it --profile=sysadmin --image=IMAGE -- /usr/bin/livenessprobe list --root /host";

test("drivers and no notes: nothing is said", () => {
  expect(renderNodeNotes(nodeReport([driverReport()], { looked: ["/a: 1 socket"] }), 0, PIPE)).toBe("");
});

test("notes are lines", () => {
  const [note] = NODE_REPORT.notes;
  expect(renderNodeNotes(NODE_REPORT, 0, PIPE)).toBe(`note: ${note}\n`);
});

test("of many notes the first are lines: who makes many must not hide the rest", () => {
  const notes = Array.from({ length: 30 }, (_, at) => `/a/${at} was not looked at`);
  const lines = renderNodeNotes(nodeReport([driverReport()], { notes }), 0, PIPE)
    .trimEnd()
    .split("\n");
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe("note: and 10 more: see -o json");
});

describe("where it looked is said when it found", () => {
  const looked = ["/var/lib/kubelet: no sockets", "/var/lib/k0s/kubelet: no such directory"];
  const said =
    "No CSI driver found. It looked in:\n  /var/lib/kubelet: no sockets\n  /var/lib/k0s/kubelet: no such directory\n";

  test.each<readonly [string, readonly DriverReport[], string]>([
    ["nothing", [], said],
    ["what is no CSI driver alone", [DRA], said],
    ["a driver: not", [driverReport(), DRA], ""],
    ["a driver that fails: not", [driverReport({ outcome: { kind: "failed", reason: "hung", message: "x" } })], ""],
  ])("%s", (_, drivers, text) => {
    expect(renderNodeNotes(nodeReport(drivers, { looked }), 0, PIPE)).toBe(text);
  });

  test("nothing, and nowhere", () => {
    expect(renderNodeNotes(nodeReport([]), 0, PIPE)).toBe("No CSI driver found.\n");
  });
});

describe("what to run instead is said when", () => {
  test.each<readonly [string, readonly DriverReport[], number, string]>([
    [
      "every driver refuses a uid",
      [DENIED, DENIED],
      65_532,
      `Every driver refuses uid 65532: connecting takes write permission on the socket. Run it as uid 0, or from where kubectl works:\n${DEBUG_NODE}\n`,
    ],
    [
      "every driver refuses root",
      [DENIED],
      0,
      `Every driver refuses even uid 0: its capability DAC_OVERRIDE is missing, or SELinux, AppArmor or a user namespace is in the way. Run it privileged:\n${DEBUG_NODE}\n`,
    ],
    ["one is refused: not", [DENIED, driverReport()], 65_532, ""],
    ["none is there to refuse: not", [DRA], 65_532, "No CSI driver found.\n"],
  ])("%s", (_, drivers, uid, text) => {
    expect(renderNodeNotes(nodeReport(drivers), uid, PIPE)).toBe(text);
  });

  test("what else answers does not matter", () => {
    expect(renderNodeNotes(nodeReport([DENIED, DRA]), 1, PIPE)).toContain(DEBUG_NODE);
  });

  test("in a narrow terminal: in one piece, to be pasted", () => {
    const lines = renderNodeNotes(nodeReport([DENIED]), 65_532, { columns: 80 }).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([DEBUG_NODE]);
  });
});

test("what a stranger had a part in is escaped", () => {
  const lines = renderNodeNotes({ ...HOSTILE_REPORT, drivers: [], looked: ["/a\u001b[2J\n: x"] }, 0, PIPE);
  expect(lines.split("\n").map(escapeUnprintable).join("\n")).toBe(lines);
  expect(lines.split("\n")).toHaveLength(4);
});
