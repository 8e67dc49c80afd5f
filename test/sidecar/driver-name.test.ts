import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { SingleCall } from "../../src/driver/client";
import type { PluginInfo } from "../../src/driver/messages";
import type { ProbeResult } from "../../src/driver/probe";
import {
  createDriverName,
  type DriverName,
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  START_DELAY_MS,
} from "../../src/sidecar/driver-name";

type Answer = SingleCall<PluginInfo>;

const timing = { elapsedMs: 1 };
const READY: ProbeResult = { kind: "ready", timing };
const NOT_READY: ProbeResult = { kind: "notReady", timing };
const HUNG: ProbeResult = { kind: "failed", reason: "hung", message: "hung", timing };
const STATUS: ProbeResult = { kind: "failed", reason: "rpc_error", message: "rpc error", timing };

const rpc = { durationMs: 1, statusCode: 0 };
const MISSING: Answer = {
  outcome: { kind: "noConnection", failure: { kind: "refused", code: "ENOENT" }, elapsedMs: 1, connectMs: undefined },
  timing: { elapsedMs: 1 },
};
const REFUSED: Answer = {
  outcome: { kind: "status", code: 12, details: "no" },
  timing: { elapsedMs: 1, connectMs: 0, rpc: { ...rpc, statusCode: 12 } },
};

function answered(name: string): Answer {
  return {
    outcome: { kind: "answered", response: { name, vendorVersion: "1.0.0" } },
    timing: { elapsedMs: 1, connectMs: 0, rpc },
  };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A driver that is asked for its name, and answers when the test says so. */
function stage(isLogged?: (reason: string) => boolean) {
  const staged = stageBegun(isLogged);
  jest.advanceTimersByTime(START_DELAY_MS);
  return staged;
}

function stageBegun(isLogged: (reason: string) => boolean = () => false) {
  const questions: ((answer: Answer) => void)[] = [];
  const lines: string[] = [];
  const counted: string[] = [];
  const print = (message: string, values: object | undefined): void =>
    void lines.push(`${message} ${JSON.stringify(values)}`);
  const driverName = createDriverName({
    getPluginInfo: () => new Promise((resolve) => questions.push(resolve)),
    socketPath: "/csi/csi.sock",
    socketFile: () => ({ kind: "missing", missingDirectory: undefined }),
    logger: {
      info: print,
      warning: print,
      error: (error, message, values) => print(`${message}: ${error}`, values),
      v: (n) => ({ enabled: true, info: (message, values) => print(`v${n} ${message}`, values) }),
    },
    isLogged,
    onRpc: (method, { statusCode }) => counted.push(`${driverName.current()} ${method} ${statusCode}`),
  });
  driverName.start();
  return {
    driverName,
    lines,
    counted,
    asked: () => questions.length,
    answer: async (answer: Answer) => {
      questions.at(-1)?.(answer);
      await settled();
    },
  };
}

// Promises settle while the clock stands still.
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** The pauses, in seconds, before each question after the first, none of which gets a name. */
async function pausesOf(count: number, answer: Answer): Promise<readonly number[]> {
  const { asked, answer: give } = stage();
  const pauses: number[] = [];
  while (pauses.length < count) {
    const before = asked();
    // oxlint-disable-next-line no-await-in-loop -- one question after the other
    await give(answer);
    let seconds = 0;
    for (; asked() === before && seconds < 100; seconds += 1) jest.advanceTimersByTime(1_000);
    pauses.push(seconds);
  }
  return pauses;
}

describe("a driver that does not tell its name is asked again after 1 s, doubling to 1 min", () => {
  test.each([
    ["where there is no driver", MISSING],
    ["where it answers with a status", REFUSED],
    ["where its name is empty", answered("")],
  ])("%s", async (_, answer) => {
    expect([FIRST_PAUSE_MS, LONGEST_PAUSE_MS]).toEqual([1_000, 60_000]);
    expect(await pausesOf(9, answer)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });
});

describe("at the start", () => {
  test("the driver is asked when a moment has passed", () => {
    const { asked } = stageBegun();
    jest.advanceTimersByTime(START_DELAY_MS - 1);
    expect(asked()).toBe(0);
    jest.advanceTimersByTime(1);
    expect(asked()).toBe(1);
  });

  test("a first probe that the driver answers sooner has it asked at once, and not twice", () => {
    const { asked, driverName } = stageBegun();
    driverName.probed(READY);
    jest.advanceTimersByTime(START_DELAY_MS);
    expect(asked()).toBe(1);
  });

  test("a sidecar that stops sooner does not ask", () => {
    const { asked, driverName } = stageBegun();
    driverName.stop();
    jest.advanceTimersByTime(FIRST_PAUSE_MS);
    expect(asked()).toBe(0);
  });
});

describe("the first answered probe after a failure", () => {
  test("has the driver asked at once", async () => {
    const on = stage();
    await failTwice(on);
    jest.advanceTimersByTime(1_500);
    on.driverName.probed(READY);
    expect(on.asked()).toBe(3);
  });

  test("has it not asked within a second of the last answer, but when the pause is over", async () => {
    const on = stage();
    await failTwice(on);
    jest.advanceTimersByTime(999);
    on.driverName.probed(READY);
    expect(on.asked()).toBe(2);
    jest.advanceTimersByTime(1_001);
    expect(on.asked()).toBe(3);
  });

  test("has it not asked beside a question that is open", async () => {
    const on = stage();
    jest.advanceTimersByTime(5_000);
    on.driverName.probed(READY);
    expect(on.asked()).toBe(1);
  });

  test("takes the place of the question that the pause would have ended in", async () => {
    const on = stage();
    await failTwice(on);
    jest.advanceTimersByTime(1_500);
    on.driverName.probed(READY);
    await on.answer(MISSING);
    jest.advanceTimersByTime(3_999);
    expect(on.asked()).toBe(3);
    jest.advanceTimersByTime(1);
    expect(on.asked()).toBe(4);
  });

  test.each<[string, (name: DriverName, answer: (answer: Answer) => Promise<void>) => Promise<void>]>([
    ["asks nothing once the name is known", (_, answer) => answer(answered("a.csi.test"))],
    [
      "asks nothing after the stop",
      async (name, answer) => {
        await answer(MISSING);
        name.stop();
      },
    ],
  ])("%s", async (_, prepare) => {
    const { driverName, asked, answer } = stage();
    await prepare(driverName, answer);
    jest.advanceTimersByTime(5_000);
    driverName.probed(READY);
    jest.advanceTimersByTime(120_000);
    expect(asked()).toBe(1);
  });
});

test.each<[string, readonly ProbeResult[], number]>([
  ["the first probe, for it may have come up since it was asked for its name", [READY], 1],
  ["the first probe, though it is not ready", [NOT_READY], 1],
  ["with a status", [STATUS], 1],
  ["one probe after another: once", [READY, READY, NOT_READY], 1],
  ["again after a probe that it did not answer", [READY, HUNG, HUNG, READY], 2],
  ["none", [HUNG, HUNG], 0],
])("a driver is asked for its name when it answers %s", async (_, results, times) => {
  const on = stage();
  await failTwice(on);
  jest.advanceTimersByTime(1_500);
  let asked = 0;
  for (const result of results) {
    const before = on.asked();
    on.driverName.probed(result);
    asked += on.asked() - before;
    // oxlint-disable-next-line no-await-in-loop -- one probe after the other
    await on.answer(MISSING);
    jest.advanceTimersByTime(1_000);
  }
  expect(asked).toBe(times);
});

test("until it is known the name is unknown-driver, and the question that told it counts under that", async () => {
  const { driverName, counted, lines, answer } = stage();
  expect(driverName.current()).toBe("unknown-driver");
  await answer(answered("a.csi.test"));
  expect(driverName.current()).toBe("a.csi.test");
  expect(counted).toEqual(["unknown-driver /csi.v1.Identity/GetPluginInfo 0"]);
  expect(lines).toEqual([
    'Asking CSI driver for its name {"address":"/csi/csi.sock"}',
    'CSI driver name {"driver":"a.csi.test","vendorVersion":"1.0.0"}',
  ]);
});

test("the first reason for which there is no name is told, and each change of it; a failed connect counts as no RPC", async () => {
  const { counted, lines, answer } = stage();
  await answerInTurn(answer, [MISSING, MISSING, REFUSED, REFUSED, answered(""), MISSING]);
  expect(counted.map((line) => line.split(" ").at(-1))).toEqual(["12", "12", "0"]);
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/^CSI driver did not tell its name: no such file: .* \{"reason":"socket_missing"\}$/),
    'CSI driver did not tell its name: rpc error: code = Unimplemented desc = no {"reason":"rpc_error"}',
    'CSI driver did not tell its name: GetPluginInfo answered with an empty name {"reason":"no_name"}',
    expect.stringMatching(/^CSI driver did not tell its name: no such file: /),
  ]);
});

test("a reason that a probe has told is not told again, and another one is", async () => {
  const { lines, answer } = stage((reason) => reason === "socket_missing");
  await answerInTurn(answer, [MISSING, REFUSED, MISSING]);
  expect(lines.slice(1)).toEqual([
    'CSI driver did not tell its name: rpc error: code = Unimplemented desc = no {"reason":"rpc_error"}',
  ]);
});

test("a reason that a probe has told is told when the probes no longer fail for it", async () => {
  const told = new Set(["rpc_error"]);
  const { lines, answer } = stage((reason) => told.has(reason));
  await answerInTurn(answer, [REFUSED, REFUSED]);
  expect(lines.slice(1)).toEqual([]);
  told.clear();
  await answerInTurn(answer, [REFUSED]);
  expect(lines).toHaveLength(2);
});

async function answerInTurn(answer: (answer: Answer) => Promise<void>, answers: readonly Answer[]): Promise<void> {
  for (const [index, one] of answers.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one question after the other
    await answer(one);
    jest.advanceTimersByTime(1_000 * 2 ** index);
  }
}

test.each([
  ["escaped", "a\nb\u001b[0m", "a\\nb\\x1b[0m"],
  ["cut", "n".repeat(300), `${"n".repeat(253)}…`],
])("a name is %s", async (_, name, known) => {
  const { driverName, answer } = stage();
  await answer(answered(name));
  expect(driverName.current()).toBe(known);
});

test("a fault of ours is told as one, and the driver is asked again", async () => {
  const lines: string[] = [];
  let asked = 0;
  const info = (message: string, values?: object): void => void lines.push(`${message} ${JSON.stringify(values)}`);
  const driverName = createDriverName({
    getPluginInfo: () => {
      asked += 1;
      return Promise.reject(new Error("out of luck"));
    },
    socketPath: "/csi/csi.sock",
    socketFile: () => ({ kind: "missing", missingDirectory: undefined }),
    logger: {
      info,
      warning: info,
      error: (error, message) => info(`${message}: ${error}`),
      v: () => ({ enabled: true, info }),
    },
    isLogged: () => false,
    onRpc: () => {},
  });
  driverName.start();
  jest.advanceTimersByTime(START_DELAY_MS);
  await settled();
  expect(lines[1]).toContain("livenessprobe could not ask the driver on /csi/csi.sock: out of luck");
  jest.advanceTimersByTime(1_000);
  expect(asked).toBe(2);
});

/** Two questions without an answer, a second apart: the next pause is 2 s. */
async function failTwice({ answer, asked }: ReturnType<typeof stage>): Promise<void> {
  await answer(MISSING);
  jest.advanceTimersByTime(1_000);
  expect(asked()).toBe(2);
  await answer(MISSING);
}
