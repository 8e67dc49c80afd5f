import { describe, expect, test } from "bun:test";
import type { DriverReport, NodeReport } from "../../src/inspection/report";
import { type Looker, renderNodeNotes, renderNodeSummary } from "../../src/terminal/list-notes";
import { escapeUnprintable } from "../../src/base/text";
import { HOSTILE_REPORT, NODE_REPORT, driverReport, nodeReport } from "../support/sample-reports";

const PIPE = { columns: undefined };
const DENIED = driverReport({
  outcome: { kind: "failed", reason: "permission_denied", message: "permission denied: x" },
});
const DRA = driverReport({ outcome: { kind: "notCsi", what: "DRAPlugin" } });
const FLAGS = ["--kubelet-dir", "/a b"];
const ROOT: Looker = { uid: 0, self: { program: ["./livenessprobe"], flags: FLAGS } };
const NOBODY: Looker = { ...ROOT, uid: 65_532 };
const DEBUG_NODE =
  "  kubectl debug node/NODE -n kube-system -it --profile=sysadmin --image=IMAGE -- /usr/bin/livenessprobe list --root /host --kubelet-dir '/a b'";

test("drivers and no notes: nothing is said", () => {
  expect(renderNodeNotes(nodeReport([driverReport()], { looked: ["/a: 1 socket"] }), ROOT, PIPE)).toBe("");
});

test("notes are lines", () => {
  const [note] = NODE_REPORT.notes;
  expect(renderNodeNotes(NODE_REPORT, ROOT, PIPE)).toBe(`note: ${note}\n`);
});

test("of many notes the first are lines: who makes many must not hide the rest", () => {
  const notes = Array.from({ length: 30 }, (_, at) => `/a/${at} was not looked at`);
  const lines = renderNodeNotes(nodeReport([driverReport()], { notes }), ROOT, PIPE)
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
    expect(renderNodeNotes(nodeReport(drivers, { looked }), ROOT, PIPE)).toBe(text);
  });

  test("nothing, and a note says why for one of the places", () => {
    const notes = ["--kubelet-dir /typo: no such directory"];
    const report = nodeReport([], { looked: ["/a: no sockets", "/typo: no such directory"], notes });
    expect(renderNodeNotes(report, ROOT, PIPE)).toBe(
      "No CSI driver found. It looked in:\n  /a: no sockets\nnote: --kubelet-dir /typo: no such directory\n",
    );
  });

  test("nothing, and nowhere", () => {
    expect(renderNodeNotes(nodeReport([]), ROOT, PIPE)).toBe("No CSI driver found.\n");
  });
});

describe("what to run instead is said where", () => {
  const REFUSED =
    "Not permitted: uid 65532 may not connect to any driver. Run it as uid 0, or from where kubectl works:";
  const BEHIND = "SELinux, AppArmor or a user namespace is in the way. Run it privileged:";

  test.each<readonly [string, NodeReport, Looker, readonly string[]]>([
    ["every driver refuses a uid", nodeReport([DENIED, DENIED]), NOBODY, [REFUSED, DEBUG_NODE]],
    [
      "every driver refuses root",
      nodeReport([DENIED]),
      ROOT,
      [
        `Not permitted: uid 0 may not connect to any driver. Its capability DAC_OVERRIDE is missing, or ${BEHIND}`,
        DEBUG_NODE,
      ],
    ],
    [
      "a directory is closed, and no driver was found elsewhere",
      nodeReport([], { denied: ["/p", "/q"], looked: ["/p: 0 sockets"] }),
      NOBODY,
      ["Not permitted: uid 65532 may not look into /p, /q. Run it as uid 0, or from where kubectl works:", DEBUG_NODE],
    ],
    [
      "a directory is closed to root",
      nodeReport([], { denied: ["/p"] }),
      ROOT,
      [
        `Not permitted: uid 0 may not look into /p. Its capability DAC_READ_SEARCH is missing, or ${BEHIND}`,
        DEBUG_NODE,
      ],
    ],
    ["one is refused: not", nodeReport([DENIED, driverReport()]), NOBODY, []],
    ["none is there to refuse: not", nodeReport([DRA]), NOBODY, ["No CSI driver found."]],
  ])("%s", (_, report, looker, lines) => {
    expect(renderNodeNotes(report, looker, PIPE)).toBe(lines.map((line) => `${line}\n`).join(""));
  });

  test("what else answers does not matter", () => {
    expect(renderNodeNotes(nodeReport([DENIED, DRA]), NOBODY, PIPE)).toContain(DEBUG_NODE);
  });

  test("with the root directory that was given", () => {
    const self = { program: ["livenessprobe"], flags: ["--root", "/node"] };
    const lines = renderNodeNotes(nodeReport([DENIED]), { uid: 0, self }, PIPE).split("\n");
    expect(lines[1]).toEndWith("-- /usr/bin/livenessprobe list --root /node");
  });

  test("in a narrow terminal: in one piece, to be pasted", () => {
    const lines = renderNodeNotes(nodeReport([DENIED]), NOBODY, { columns: 80 }).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([DEBUG_NODE]);
  });
});

test("that no driver has the name that was asked for is said first", () => {
  const report = nodeReport([], { absent: "No driver called a was found", looked: ["/a: 1 socket"], notes: ["b"] });
  expect(renderNodeNotes(report, ROOT, PIPE)).toBe("No driver called a was found\nnote: b\n");
});

test("what a stranger had a part in is escaped", () => {
  const lines = renderNodeNotes({ ...HOSTILE_REPORT, drivers: [], looked: ["/a\u001b[2J\n: x"] }, ROOT, PIPE);
  expect(lines.split("\n").map(escapeUnprintable).join("\n")).toBe(lines);
  expect(lines.split("\n")).toHaveLength(4);
});

const SELF = { program: ["livenessprobe"], flags: [] };
const READY = driverReport();
const SLOW = driverReport({ slow: true });
const FAILED = failed("red.csi.example");
const NOT_READY = driverReport({ outcome: { kind: "notReady" } });
const NOT_ASKED = driverReport({ driver: "b.csi", outcome: { kind: "notAsked", message: "m" } });
const OTHER = driverReport({ outcome: { kind: "notCsi", what: "DRAPlugin" } });
const NEXT = "next: livenessprobe inspect";

test.each<readonly [string, readonly DriverReport[], Partial<NodeReport>, string]>([
  ["no driver", [OTHER], {}, ""],
  ["a driver that is ready", [READY, OTHER], {}, "1 driver: 1 ready\n"],
  ["a slow one", [SLOW, READY], {}, "2 drivers: 1 ready, 1 ready but slow\n"],
  ["what was not seen", [READY], { complete: false }, "1 driver: 1 ready; there may be more: see the notes\n"],
  [
    "those that fail, and the first to look at",
    [FAILED, FAILED, NOT_READY, READY].map((each, at) => ({ ...each, socket: `/${at}` })),
    {},
    `4 drivers: 1 ready, 2 failed, 1 not ready; ${NEXT} /0\n`,
  ],
  ["one that was not asked, and is not to be", [NOT_ASKED], {}, "1 driver: 1 not asked\n"],
])("%s", (_, drivers, changes, summary) => {
  expect(renderNodeSummary(nodeReport(drivers, changes), SELF, PIPE)).toBe(summary);
});

describe("the next command", () => {
  test.each<readonly [string, readonly DriverReport[], string]>([
    ["names the driver", [FAILED], "red.csi.example"],
    ["names the socket where two are called so", [FAILED, driverReport({ driver: "red.csi.example" })], FAILED.socket],
    [
      "names the socket where another's directory is called so",
      [FAILED, driverReport({ socket: "/var/lib/kubelet/plugins/red.csi.example/other/csi.sock" })],
      FAILED.socket,
    ],
    ["names the socket where nothing tells a name", [failed(undefined)], FAILED.socket],
    ["names the socket where the name is none", [failed("a b; $(id)")], FAILED.socket],
    ["quotes a socket's path", [{ ...failed("-x"), socket: "/a b/$(id)" }], "'/a b/$(id)'"],
  ])("%s", (_, drivers, target) => {
    expect(renderNodeSummary(nodeReport(drivers), SELF, PIPE)).toEndWith(`; ${NEXT} ${target}\n`);
  });

  test("has what was said of the node", () => {
    const summary = renderNodeSummary(
      nodeReport([FAILED]),
      { ...SELF, flags: ["--root", "/host", "--kubelet-dir", "/a b"] },
      PIPE,
    );
    expect(summary).toEndWith(`${NEXT} red.csi.example --root /host --kubelet-dir '/a b'\n`);
  });

  test("has a line of its own where it does not fit", () => {
    const lines = renderNodeSummary(
      nodeReport([FAILED]),
      { ...SELF, flags: ["--root", `/${"a".repeat(80)}`] },
      { columns: 80 },
    ).split("\n");
    expect(lines).toEqual([
      "1 driver: 1 failed; next:",
      `  livenessprobe inspect red.csi.example --root /${"a".repeat(80)}`,
      "",
    ]);
  });

  test("is not there where a path steers terminals", () => {
    const summary = renderNodeSummary(nodeReport([{ ...failed("\u001b[2J"), socket: "/\u001b[2J" }]), SELF, PIPE);
    expect(summary).toBe("1 driver: 1 failed\n");
  });
});

test("the mark behind a name is explained", () => {
  const [mark, summary] = renderNodeSummary(NODE_REPORT, SELF, PIPE).split("\n");
  expect(mark).toBe("* named after its directory or registration: it has not told its name");
  expect(summary).toBe(
    "6 drivers: 1 ready, 1 ready but slow, 2 failed, 1 not ready, 1 not asked; next: livenessprobe inspect efs.csi.aws.com",
  );
});

test("nothing that a driver says reaches the terminal", () => {
  expect(renderNodeSummary(HOSTILE_REPORT, SELF, PIPE)).toMatch(/^[ -~\n]*$/);
});

function failed(driver: string | undefined): DriverReport {
  return driverReport({
    socket: "/var/lib/kubelet/plugins/red/csi.sock",
    driver,
    outcome: { kind: "failed", reason: "hung", message: "m" },
  });
}
