import { describe, expect, test } from "bun:test";
import type { DriverReport } from "../../src/inspection/report";
import { type NodeTableStyle, renderNodeTable } from "../../src/terminal/list-table";
import { escapeUnprintable } from "../../src/base/text";
import { golden } from "../support/golden";
import { HOSTILE_REPORT, NODE_REPORT, driverReport, nodeReport } from "../support/sample-reports";

const PIPE: NodeTableStyle = { columns: undefined, colour: false, wide: false };

const NOT_READY =
  "Probe answered ready: false: the driver is still starting, or waits for its backend; its log says which";

const STYLES: readonly (readonly [string, NodeTableStyle])[] = [
  ["80", terminal(80)],
  ["80-colour", terminal(80, { colour: true })],
  ["80-wide", terminal(80, { wide: true })],
  ["120", terminal(120)],
  ["200", terminal(200)],
  ["200-colour", terminal(200, { colour: true })],
  ["200-wide", terminal(200, { wide: true })],
  ["pipe", PIPE],
  ["pipe-wide", { ...PIPE, wide: true }],
];

describe.each([
  ["list", NODE_REPORT],
  ["list-hostile", HOSTILE_REPORT],
] as const)("%s", (name, report) => {
  test.each(STYLES)("is the golden text of %s", (style, options) => {
    const text = renderNodeTable(report, options);
    expect(text).toBe(golden(new URL(`${name}-${style}.golden.txt`, import.meta.url), text));
  });

  test.each(STYLES)(
    "has lines of printable characters alone, without spaces at their end, in the style of %s",
    (_, options) => {
      const text = renderNodeTable(report, { ...options, colour: false });
      expect(text.split("\n").map(escapeUnprintable).join("\n")).toBe(text);
      expect(text).not.toMatch(/ $/m);
      expect(text).toMatch(/[^\n]\n$/);
    },
  );

  test.each(STYLES)("is the same text under its colours, in the style of %s", (_, options) => {
    const coloured = renderNodeTable(report, { ...options, colour: true });
    expect(Bun.stripANSI(coloured)).toBe(renderNodeTable(report, { ...options, colour: false }));
  });

  test.each([60, 80, 100, 120, 160, 200, 400])(
    "of a terminal's %i columns takes more for a long word alone",
    (columns) => {
      const lines = renderNodeTable(report, terminal(columns, { wide: true })).split("\n");
      const tooWide = lines.filter((line) => Bun.stringWidth(line) > columns);
      expect(tooWide.filter((line) => line.trim().includes(" "))).toEqual([]);
    },
  );

  test("is one line for each driver where it is no terminal", () => {
    const lines = renderNodeTable(report, { ...PIPE, wide: true })
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(1 + report.drivers.length);
  });
});

test.each([60, 80, 120, 200, undefined])(
  "drivers, sockets and messages are there in whole at %p columns",
  (columns) => {
    const text = renderNodeTable(NODE_REPORT, { ...PIPE, columns }).replace(/\s+/g, " ");
    const wanted = NODE_REPORT.drivers.flatMap(({ driver = "<unknown>", socket, outcome }) =>
      outcome.kind === "failed" || outcome.kind === "notAsked" ? [driver, socket, outcome.message] : [driver, socket],
    );
    expect(wanted.filter((each) => !text.includes(each))).toEqual([]);
  },
);

describe("what a cell says", () => {
  test.each<readonly [string, Partial<DriverReport>, string, string]>([
    ["a driver without a name", { driver: undefined, nameSource: undefined }, "DRIVER", "<unknown>"],
    ["a name that it has not told itself", { driver: "a.csi", nameSource: "directory" }, "DRIVER", "a.csi*"],
    ["a name that is registered", { driver: "a.csi", nameSource: "registration" }, "DRIVER", "a.csi*"],
    ["a driver whose name is nothing but spaces", { driver: "   " }, "DRIVER", "-"],
    ["no version", { vendorVersion: undefined }, "VERSION", "-"],
    ["spaces that would begin a column", { vendorVersion: " 1    ready " }, "VERSION", "1 ready"],
    ["ready", { outcome: { kind: "ready" } }, "STATE", "ready"],
    ["not ready", { outcome: { kind: "notReady" } }, "STATE", "not ready"],
    ["a failure", { outcome: { kind: "failed", reason: "hung", message: "x" } }, "STATE", "failed: hung"],
    ["a slow driver", { slow: true }, "STATE", "ready, slow"],
    ["a process that sleeps", { listener: listener({}) }, "STATE", "ready"],
    ["a process that is stopped", { listener: listener({ state: STOPPED }) }, "STATE", "ready, stopped (T)"],
    ["a socket that is not asked", { outcome: { kind: "notAsked", message: "x" } }, "STATE", "not asked"],
    ["why it is not asked", { outcome: { kind: "notAsked", message: "x: y" } }, "MESSAGE", "x: y"],
    ["its message", { outcome: { kind: "failed", reason: "hung", message: "x: y" } }, "MESSAGE", "x: y"],
    ["what a driver that is not ready said", { outcome: { kind: "notReady" } }, "MESSAGE", NOT_READY],
    ["another plugin", { outcome: { kind: "notCsi", what: "DRAPlugin" } }, "DRIVER", "not CSI: DRAPlugin"],
    ["another plugin's state", { outcome: { kind: "notCsi", what: "DRAPlugin" } }, "STATE", "not CSI"],
    ["another plugin's name", { outcome: { kind: "notCsi", what: "?" }, driver: "gpu" }, "MESSAGE", "its name is gpu"],
    ["microseconds", { connectMs: 0.21349 }, "CONNECT", "213µs"],
    ["milliseconds", { connectMs: 12.3456 }, "CONNECT", "12.3ms"],
    ["seconds", { callMs: 3_004.9 }, "CALL", "3s"],
    ["what was not reached", { callMs: undefined }, "CALL", "-"],
    ["nobody is known to listen", {}, "POD", "-"],
    ["a process in no pod", { listener: listener({}) }, "POD", "pid 7 (driver)"],
    ["a pod", { listener: listener({ namespace: "ns", pod: "p" }) }, "POD", "ns/p"],
    ["a pod of an unknown namespace", { listener: listener({ pod: "p" }) }, "POD", "p"],
    ["a container", { listener: listener({ container: "c" }) }, "CONTAINER", "c"],
  ])("%s", (_, changes, header, cell) => {
    expect(cellUnder(header, driverReport(changes), PIPE)).toBe(cell);
  });

  test.each<readonly [string, Partial<DriverReport>, string, string]>([
    ["a process", { listener: listener({}) }, "PROCESS", "7 (driver)"],
    ["no pod, next to the process", { listener: listener({}) }, "POD", "-"],
    ["capabilities", { capabilities: capabilities(["A", "B"]) }, "NODE CAPABILITIES", "A, B"],
    ["none at all", { capabilities: capabilities([]) }, "NODE CAPABILITIES", "none"],
    ["not asked", { capabilities: capabilities(undefined) }, "NODE CAPABILITIES", "-"],
  ])("wide: %s", (_, changes, header, cell) => {
    expect(cellUnder(header, driverReport(changes), { ...PIPE, wide: true })).toBe(cell);
  });
});

test.each<readonly [DriverReport["outcome"], string]>([
  [{ kind: "ready" }, "\u001b[32mready\u001b[39m"],
  [{ kind: "notReady" }, "\u001b[33mnot ready\u001b[39m"],
  [{ kind: "failed", reason: "hung", message: "m" }, "\u001b[31mfailed: hung\u001b[39m"],
  [{ kind: "notCsi", what: "w" }, "\u001b[2mnot CSI\u001b[22m"],
])("the state alone has a colour: $kind", (outcome, painted) => {
  const text = renderNodeTable(nodeReport([driverReport({ outcome })]), terminal(80, { colour: true }));
  expect(text.split(painted)).toHaveLength(2);
  expect(text.replace(painted, "")).not.toContain("\u001b");
});

test("no drivers are no text", () => {
  expect(renderNodeTable(nodeReport([]), PIPE)).toBe("");
});

function terminal(columns: number, changes: Partial<NodeTableStyle> = {}): NodeTableStyle {
  return { columns, colour: false, wide: false, ...changes };
}

const STOPPED = { letter: "T", word: "stopped" } as const;

type Listener = NonNullable<DriverReport["listener"]>;

function listener(changes: Partial<Listener>): Listener {
  return {
    pid: 7,
    command: "driver",
    state: { letter: "S", word: "sleeping" },
    namespace: undefined,
    pod: undefined,
    container: undefined,
    ...changes,
  };
}

function capabilities(node: readonly string[] | undefined): NonNullable<DriverReport["capabilities"]> {
  return { plugin: undefined, node, controller: undefined };
}

function cellUnder(header: string, driver: DriverReport, style: NodeTableStyle): string | undefined {
  const [headers = [], cells = []] = renderNodeTable(nodeReport([driver]), style)
    .split("\n")
    .map((line) => line.split(/ {3,}/));
  return cells[headers.indexOf(header)];
}
