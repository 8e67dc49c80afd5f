import { describe, expect, test } from "bun:test";
import { escapeLines } from "../../src/base/text";
import { createChangeFollower, renderChangeLine } from "../../src/terminal/changes";
import { drawScreen, type LiveView, renderScreen, type ScreenStyle } from "../../src/terminal/live";
import { driverReport, nodeReport } from "../support/sample-reports";

const STYLE: ScreenStyle = { columns: 80, rows: 24, colour: false, wide: false };
const HUNG = { kind: "failed", reason: "hung", message: "driver hung: it does not answer" } as const;
const AT_MS = Date.UTC(2026, 10, 25, 22, 31, 7);
const LISTENER = { command: "csi", state: { letter: "S", word: "sleeping" }, namespace: undefined } as const;

describe("the changes between two reports", () => {
  const by = (pid: number) => a({ listener: { ...LISTENER, pid, pod: undefined, container: undefined } });
  test.each([
    ["a driver that comes", [], [a({})], "a.csi   ready   /a"],
    ["a driver that goes", [a({})], [], "a.csi   ready -> gone   /a"],
    ["another state", [a({})], [a({ outcome: HUNG })], `a.csi   ready -> failed: hung   ${HUNG.message}   /a`],
    ["another process", [by(12)], [by(34)], "a.csi   pid 12 -> pid 34   /a"],
    ["another driver at the same socket", [a({})], [a({ driver: "b.csi" })], ""],
    ["a slow answer", [a({})], [a({ slow: true, callMs: 2_000 })], ""],
    ["nothing known any more", [a({})], [a({ outcome: { kind: "notAsked", message: "" } })], ""],
  ])("%s", (_, before, after, line) => {
    const follow = createChangeFollower(({ outcome }) => outcome.kind !== "notAsked");
    follow(before);
    const lines = follow(after).map((change) => renderChangeLine(change, AT_MS));
    expect(lines.join("")).toBe(line === "" ? "" : `2026-11-25T22:31:07Z   ${line}\n`);
    expect(follow(after)).toEqual([]);
  });
});

describe("a picture", () => {
  const change = { socket: "/a", driver: "a.csi", was: "ready", now: "failed: hung", message: "", atMs: AT_MS };
  const drivers = Array.from({ length: 40 }, (_, index) =>
    driverReport({ socket: `/${index}`, driver: `${index}.csi` }),
  );
  const view = (changes: Partial<LiveView> = {}): LiveView => ({
    report: nodeReport([driverReport({ socket: "/a", driver: "a.csi", outcome: HUNG }), ...drivers]),
    looker: { uid: 0, self: { program: ["livenessprobe"], flags: [] } },
    changes: new Map([["/a", change]]),
    lastChange: change,
    nowMs: AT_MS,
    ...changes,
  });

  test.each([
    [3_000, "! was ready, 3s ago"],
    [9_999, "! was ready, 9s ago"],
    [10_000, "   was ready, 10s ago"],
    [61_000, "   was ready, 1m ago"],
    [7_200_000, "   was ready, 2h ago"],
  ])("%d ms after a change says %j", (laterMs, text) => {
    const lines = renderScreen(view({ nowMs: AT_MS + laterMs }), STYLE);
    expect(lines[1]).toContain(text);
    expect(lines.at(-1)).toBe("last change at 22:31:07 UTC: a.csi ready -> failed: hung");
  });

  test.each([1, 2, 3, 4, 7, 9, 10, 24, 60, 200])("fits into %d rows with the cursor", (rows) => {
    const lines = renderScreen(view(), { ...STYLE, rows });
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
  });

  test.each([10, 40, 200])("is not wider than %d columns", (columns) => {
    const lines = renderScreen(view(), { ...STYLE, columns, colour: true });
    expect(lines.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
  });

  test("tells what does not fit, and the last one has all", () => {
    const crowded = view({ report: { ...view().report, notes: ["one", "two"] } });
    const lines = renderScreen(crowded, STYLE);
    const [more = ""] = lines.filter((line) => line.startsWith("..."));
    const shown = lines.filter((line) => /^[\da]+\.csi /.test(line)).length;
    expect(more).toBe(`... ${41 - shown} drivers and 2 notes do not fit: enlarge the window`);
    const last = renderScreen(crowded, { ...STYLE, rows: Infinity });
    expect(last.filter((line) => /^([\da]+\.csi |note: )/.test(line))).toHaveLength(43);
  });

  test("is drawn over the last one, also where that was wrapped meanwhile", () => {
    const last = { lines: ["a".repeat(80), "b"], columns: 80 };
    const next = { lines: ["c"], columns: 40 };
    expect(drawScreen(undefined, next, 24)).toBe("\u001b[?2026h\u001b[?7l\r\u001b[Jc\n\u001b[?7h\u001b[?2026l");
    expect(drawScreen(last, next, 24)).toBe("\u001b[?2026h\u001b[?7l\r\u001b[3A\u001b[Jc\n\u001b[?7h\u001b[?2026l");
    expect(drawScreen(last, next, 3)).toContain("\u001b[2A");
    expect(drawScreen(last, next, 24, true)).not.toContain("\u001b[?7l");
  });

  test("reaches a terminal as it is, and what looks like its parts does not", () => {
    const picture = drawScreen(undefined, { lines: ["\u001b[31mred\u001b[39m"], columns: 80 }, 24);
    expect(escapeLines(picture, true)).toBe(picture);
    const last = drawScreen(undefined, { lines: ["all"], columns: 80 }, 24, true);
    expect(escapeLines(last, true)).toBe(last);
    const hostile = `${picture}${picture}`;
    expect(escapeLines(hostile, true)).toContain("\\x1b[?7h\\x1b[?2026l\\x1b[?2026h\\x1b[?7l\\r\\x1b[J");
    expect(escapeLines(picture, false)).not.toContain("\u001b");
  });
});

function a(changes: Parameters<typeof driverReport>[0]) {
  return driverReport({ socket: "/a", driver: "a.csi", ...changes });
}
