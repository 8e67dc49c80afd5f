import { describe, expect, test } from "bun:test";
import type { DriverReport, NodeReport } from "../../src/inspection/report";
import { renderNodeSummary } from "../../src/terminal/list-summary";
import { HOSTILE_REPORT, NODE_REPORT, driverReport, nodeReport } from "../support/sample-reports";

const PIPE = { columns: undefined };
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
