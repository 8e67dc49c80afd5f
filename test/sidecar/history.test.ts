import { describe, expect, test } from "bun:test";
import { createHistory, REMINDER_MS } from "../../src/sidecar/history";
import type { Logger } from "../../src/log/logger";
import type { ProbeResult } from "../../src/driver/probe";

const READY: ProbeResult = { kind: "ready", timing: { elapsedMs: 1 } };
const NOT_READY: ProbeResult = { kind: "notReady", timing: { elapsedMs: 1 } };
/** A failure is counted from the start of its first probe. */
const HUNG: ProbeResult = { kind: "failed", reason: "hung", message: "it hung", timing: { elapsedMs: 3_000 } };
const MISSING: ProbeResult = {
  kind: "failed",
  reason: "socket_missing",
  message: "it is gone",
  timing: { elapsedMs: 3_000 },
};

/** What each of some results made the log say; every result is at an instant, in minutes. */
function told(results: readonly (readonly [minutes: number, result: ProbeResult, late?: "late"])[], verbosity = 0) {
  const lines: string[] = [];
  let minutes = 0;
  const history = createHistory({
    logger: loggerInto(lines, verbosity),
    nowMs: () => minutes * 60_000,
    driverName: () => "a.csi.test",
  });
  return results.map(([at, result, late]) => {
    minutes = at;
    history.record(result, late === undefined);
    return lines.splice(0).join("; ");
  });
}

function loggerInto(lines: string[], verbosity: number): Logger {
  const print = (severity: string, message: string, values: object | undefined, error = ""): void =>
    void lines.push([severity, message, error, JSON.stringify(values)].filter(Boolean).join(" "));
  return {
    info: (message, values) => print("I", message, values),
    warning: (message, values) => print("W", message, values),
    error: (error, message, values) => print("E", message, values, error),
    v: (n) => ({ enabled: n <= verbosity, info: (message, values) => print(`I${n}`, message, values) }),
  };
}

const readyLine = 'I CSI driver is ready {"driver":"a.csi.test"}';
const hungLine = 'E CSI driver failed its probe it hung {"driver":"a.csi.test","reason":"hung"}';

describe("the log is told", () => {
  test.each<[string, Parameters<typeof told>[0], string[]]>([
    [
      "the first result, and no other of its kind",
      [
        [0, READY],
        [1, READY],
      ],
      [readyLine, ""],
    ],
    [
      "a failure once",
      [
        [0, READY],
        [1, HUNG],
        [2, HUNG],
      ],
      [readyLine, hungLine, ""],
    ],
    [
      "each change of the reason",
      [
        [0, HUNG],
        [1, MISSING],
        [2, NOT_READY],
        [3, NOT_READY],
        [4, HUNG],
      ],
      [
        hungLine,
        'E CSI driver failed its probe it is gone {"driver":"a.csi.test","reason":"socket_missing"}',
        'E CSI driver failed its probe driver responded but is not ready {"driver":"a.csi.test","reason":"not_ready"}',
        "",
        hungLine,
      ],
    ],
    [
      "the end of a failure, with how long it lasted from the start of its first failed probe on and how many probes failed",
      [
        [0, HUNG],
        [1, MISSING],
        [2.5, READY],
        [3, READY],
      ],
      [
        hungLine,
        'E CSI driver failed its probe it is gone {"driver":"a.csi.test","reason":"socket_missing"}',
        'I CSI driver is ready again {"driver":"a.csi.test","failedFor":"2m33s","failedProbes":2}',
        "",
      ],
    ],
    [
      "nothing of a result that is older than one already told of",
      [
        [0, READY],
        [1, HUNG, "late"],
        [2, READY],
        [3, HUNG],
        [4, READY, "late"],
        [5, HUNG],
      ],
      [readyLine, "", "", hungLine, "", ""],
    ],
  ])("%s", (_, results, lines) => {
    expect(told(results)).toEqual(lines);
  });
});

describe("a failure that lasts", () => {
  test("is told again each 10 minutes, with the count", () => {
    expect(REMINDER_MS).toBe(600_000);
    const seen = told([
      [0, HUNG],
      [9.99, HUNG],
      [10, HUNG],
      [19.99, HUNG],
      [20.5, HUNG],
      [30.4, HUNG],
      [30.5, HUNG],
    ]);
    expect(seen).toEqual([hungLine, "", still("10m3s", 3), "", still("20m33s", 5), "", still("30m33s", 7)]);
  });

  test("is told 10 minutes after its reason changed, too", () => {
    const seen = told([
      [0, MISSING],
      [6, HUNG],
      [10, HUNG],
      [16, HUNG],
    ]);
    expect(seen.slice(1)).toEqual([hungLine, "", still("16m3s", 4)]);
  });
});

test("at verbosity 5 every probe is told, late ones too", () => {
  const seen = told(
    [
      [0, READY],
      [1, READY],
      [2, HUNG, "late"],
      [3, NOT_READY],
    ],
    5,
  );
  expect(seen).toEqual([
    `${probed('"result":"ready","elapsed":"1ms"')}; ${readyLine}`,
    probed('"result":"ready","elapsed":"1ms"'),
    probed('"result":"hung","message":"it hung","elapsed":"3s"'),
    `${probed('"result":"not_ready","message":"driver responded but is not ready","elapsed":"1ms"')}; E CSI driver failed its probe driver responded but is not ready {"driver":"a.csi.test","reason":"not_ready"}`,
  ]);
});

test("its state is the latest result that counts", () => {
  const history = createHistory({ logger: loggerInto([], 0), nowMs: () => 0, driverName: () => "a.csi.test" });
  const states = ([[READY], [HUNG], [MISSING, "late"], [NOT_READY]] as const).map(([result, late]) => {
    history.record(result, late === undefined);
    return history.state();
  });
  expect(states).toEqual(["ready", "hung", "hung", "not_ready"]);
});

function still(failedFor: string, failedProbes: number): string {
  return `E CSI driver still fails its probes it hung {"driver":"a.csi.test","reason":"hung","failedFor":"${failedFor}","failedProbes":${failedProbes}}`;
}

function probed(values: string): string {
  return `I5 Probed the CSI driver {"driver":"a.csi.test",${values}}`;
}
