import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { type ControlledDriver, startControlledDriver } from "../support/controlled-driver";
import { startDriver } from "../support/drivers";
import { EXECUTABLE } from "../support/executable";
import { readLines } from "../support/lines";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { schemaFaults } from "../support/output-schema";
import { type RunningInPty, startInPty } from "../support/pty";
import { runSidecar } from "../support/sidecar";
import { type TerminalScreen, watchScreen } from "../support/terminal-screen";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(120_000);

const PLUGINS = "/var/lib/kubelet/plugins";
/** Often, so that the tests end soon. */
const FLAGS = ["--interval=1s", "--probe-timeout=1s"];
/** What begins and ends a picture, and colours. */
// oxlint-disable-next-line no-control-regex
const OURS = /\u001b\[\?2026h(?:\u001b\[\?7l)?\r(?:\u001b\[\d+A)?\u001b\[J|\u001b\[\?7h\u001b\[\?2026l|\u001b\[\d+m/g;
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

describe("in a terminal, list --watch", () => {
  test("marks a driver that is stopped and continued, and keeps one connection to it", async () => {
    await using place = await startPlace(["b.csi"]);
    place.node.directory(`${PLUGINS}/a.csi`);
    const socketPath = place.node.outer(`${PLUGINS}/a.csi/csi.sock`);
    await using driver = await startDriver("grpc-js", { name: "a.csi", socketPath });
    await using watching = watchInPty(place.node);
    await watching.waitFor(/^a\.csi +1\.0\.0 +ready +- /m);
    await driver.pause();
    await watching.waitFor(/^a\.csi +1\.0\.0 +failed: hung, stopped \(T\) +! was ready, \d+s ago/m);
    await watching.waitFor(/^last change at \d\d:\d\d:\d\d UTC: a\.csi ready -> failed: hung$/m);
    const calls = place.drivers["b.csi"]?.calls.length ?? 0;
    await waitUntil(
      () => (place.drivers["b.csi"]?.calls.length ?? 0) >= calls + 5,
      "five more probes of another driver",
    );
    expect(queueOf(socketPath)).toBe(1);
    driver.resume();
    await watching.waitFor(/^a\.csi +1\.0\.0 +ready\S* .*! was failed: hung, \d+s ago/m);
  });

  test("shows a driver that comes, and one that goes", async () => {
    await using place = await startPlace(["a.csi"]);
    await using watching = watchInPty(place.node);
    await watching.waitFor(/^a\.csi .*ready[^]*\nno change so far$/m);
    await place.start("new.csi");
    await watching.waitFor(/^new\.csi .*ready +! new, \d+s ago/m);
    rmSync(place.node.outer(`${PLUGINS}/a.csi/csi.sock`));
    await watching.waitFor(/^last change at .*: a\.csi ready -> gone$/m);
    expect((await watching.screen.lines()).filter((line) => line.startsWith("a.csi"))).toEqual([]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "ends with 0 on %s, and leaves the last state above the cursor",
    async (signal) => {
      await using place = await startPlace(["a.csi"]);
      await using watching = watchInPty(place.node);
      await watching.waitFor(/^a\.csi .*ready/m);
      process.kill(watching.running.pid, signal);
      const { code, output } = await watching.running.ended;
      const lines = await watching.screen.lines();
      expect(code).toBe(0);
      expect(lines[0]).toStartWith("DRIVER ");
      expect(lines.at(-1)).toBe("no change so far");
      expect(await watching.screen.cursor()).toEqual({ x: 0, y: lines.length });
      expect(output.replaceAll(OURS, "")).not.toMatch(CONTROLS);
    },
  );

  test("tells how many drivers do not fit, and never scrolls", async () => {
    await using place = await startPlace([]);
    for (let index = 10; index < 70; index += 1) place.node.staleSocket(`${PLUGINS}/stale${index}.csi/csi.sock`);
    await place.start("last.csi");
    await using watching = watchInPty(place.node);
    const notFitting = /^\.\.\. (\d+) drivers do not fit: enlarge the window$/m;
    await watching.waitFor(notFitting);
    await waitUntil(() => (place.drivers["last.csi"]?.calls.length ?? 0) >= 3, "pictures");
    const text = (await watching.screen.lines()).join("\n");
    const shown = text.match(/^(stale\d\d|last)\.csi/gm) ?? [];
    expect(Number(notFitting.exec(text)?.[1]) + shown.length).toBe(61);
    expect(text).toStartWith("DRIVER ");
    expect(text).toMatch(/^61 drivers: 1 ready, 60 failed/m);
    expect(await watching.screen.scrolled()).toBe(0);
  });

  test.each([
    [100, 30],
    [60, 40],
    [40, 12],
    [20, 4],
  ])("draws one picture after the window has become %d by %d", async (columns, rows) => {
    await using place = await startPlace(["a.csi", "b.csi"]);
    await using watching = watchInPty(place.node);
    await watching.waitFor(/^b\.csi .*ready/m);
    await watching.screen.resize(columns, rows);
    const faults = async (): Promise<readonly string[]> => {
      const lines = await watching.screen.lines();
      const counts = ["DRIVER", "a.csi"].map((start) => [start, lines.filter((line) => line.startsWith(start)).length]);
      return [
        ...counts.flatMap(([start, count]) => (count === 1 ? [] : [`${count} of ${start}`])),
        ...lines.filter((line) => Bun.stringWidth(line) > columns),
      ];
    };
    await waitUntil(async () => (await faults()).length === 0, "the new picture");
    const { calls } = driverOf(place, "a.csi");
    const before = calls.length;
    await waitUntil(() => calls.length >= before + 2, "more pictures");
    expect(await faults()).toEqual([]);
  });

  test("with NO_COLOR has no colours, and marks changes all the same", async () => {
    await using place = await startPlace(["a.csi"]);
    await using watching = watchInPty(place.node, { TERM: "xterm", NO_COLOR: "1" });
    await watching.waitFor(/^a\.csi .*ready/m);
    driverOf(place, "a.csi").mode = "notReady";
    await watching.waitFor(/^a\.csi .*not ready +! was ready/m);
    // oxlint-disable-next-line no-control-regex
    expect(watching.running.output()).not.toMatch(/\u001b\[\d+m/);
  });

  test("lets nothing of a driver's reach the terminal that is not printable", async () => {
    await using place = await startPlace([]);
    const hostile = `\u001b[2J\u001b[?2026l\r\u001b]0;x\u0007\u009b31m\u202e`;
    await place.start("a.csi", hostile);
    await using watching = watchInPty(place.node);
    await watching.waitFor(/^\\x1b\[2J\\x1b\[\?2026l\\r.*ready/m);
    driverOf(place, "a.csi").mode = "notReady";
    await watching.waitFor(/^last change at .*\\x1b.* ready -> not ready/m);
    expect(watching.running.output().replaceAll(OURS, "")).not.toMatch(CONTROLS);
  });

  test("that is dumb, prints a line for each change", async () => {
    await using place = await startPlace(["a.csi"]);
    await using watching = watchInPty(place.node, { TERM: "dumb" });
    await watching.waitFor(/^\S+Z {3}a\.csi {3}ready/m);
    driverOf(place, "a.csi").mode = "notReady";
    await watching.waitFor(/^\S+Z {3}a\.csi {3}ready -> not ready/m);
    expect(watching.running.output()).not.toMatch(CONTROLS);
  });
});

describe("where standard output is no terminal, list --watch", () => {
  test("prints a line for each change, and ends with 0 on SIGTERM", async () => {
    await using place = await startPlace(["a.csi"]);
    await using watching = watchInPipe(place.node);
    await watching.waitFor(/ready/);
    driverOf(place, "a.csi").mode = "hold";
    await watching.waitFor(/hung/);
    driverOf(place, "a.csi").release();
    await watching.waitFor(/hung -> ready/);
    rmSync(place.node.outer(`${PLUGINS}/a.csi/csi.sock`));
    await watching.waitFor(/gone/);
    watching.child.kill("SIGTERM");
    expect(await watching.child.exited).toBe(0);
    expect(watching.lines.map((line) => line.split("   "))).toEqual([
      [TIME, "a.csi", "ready", SOCKET],
      [TIME, "a.csi", "ready -> failed: hung", expect.stringMatching(/^driver hung: /), SOCKET],
      [TIME, "a.csi", "failed: hung -> ready", SOCKET],
      [TIME, "a.csi", "ready -> gone", SOCKET],
    ]);
  });

  test("with -o json prints the whole list for each change, one a line", async () => {
    await using place = await startPlace(["a.csi", "b.csi"]);
    await using watching = watchInPipe(place.node, ["-o", "json"]);
    await watching.waitFor(/./);
    driverOf(place, "a.csi").mode = "notReady";
    await watching.waitFor(/notReady/);
    const documents = watching.lines.map((line) => JSON.parse(line));
    expect(documents.flatMap(schemaFaults)).toEqual([]);
    const states = documents.map(({ items }) => items.map((item: Item) => [item.driver, item.state]));
    expect(states).toEqual([
      [
        ["a.csi", "ready"],
        ["b.csi", "ready"],
      ],
      [
        ["a.csi", "notReady"],
        ["b.csi", "ready"],
      ],
    ]);
  });

  test.each([[[]], [["-o", "json"]]])(
    "%j ends with 0 when its reader is gone, before there is more to write",
    async (flags) => {
      await using place = await startPlace(["a.csi"]);
      const script = 'set -o pipefail; { "$0" "$@"; echo "ended: $?" >&2; } | head -n 1';
      const words = [EXECUTABLE, "list", "--watch", "--root", place.node.rootDir, ...FLAGS, ...flags];
      const child = Bun.spawn(["bash", "-c", script, ...words], { stdout: "pipe", stderr: "pipe" });
      expect(await child.stdout.text()).toContain("a.csi");
      expect(await child.stderr.text()).toBe("ended: 0\n");
    },
  );

  test("ends with 0 on SIGTERM while its pipe is full", async () => {
    await using place = await startPlace([]);
    // More than a pipe holds.
    for (let index = 0; index < 250; index += 1) place.node.staleSocket(`${PLUGINS}/stale${index}.csi/csi.sock`);
    place.node.fifo("/out");
    const words = [EXECUTABLE, "list", "-w", "-o", "json", "--root", place.node.rootDir, ...FLAGS];
    const child = Bun.spawn(["sh", "-c", 'exec "$@" >"$0"', place.node.outer("/out"), ...words]);
    const reading = 'exec <"$0"; head -c 1; exec sleep 600';
    const reader = Bun.spawn(["sh", "-c", reading, place.node.outer("/out")], { stdout: "pipe" });
    // What follows the first byte fills the pipe.
    await reader.stdout.getReader().read();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    reader.kill("SIGKILL");
  });

  test("tells on standard error which drivers there are, if none has the name", async () => {
    await using place = await startPlace(["a.csi"]);
    await using watching = watchInPipe(place.node, ["--driver=b.csi"]);
    await waitUntil(() => watching.errors.length > 0, "the note");
    expect(watching.errors).toEqual(['No driver called "b.csi" was found. There are: a.csi']);
    expect(watching.lines).toEqual([]);
  });
});

test.each([
  [["--interval=1s"], '--interval needs --watch, got "1s"'],
  [["--watch", "--interval=999ms"], '--interval must be at least 1s, got "999ms"'],
  [["--watch", "--interval=2"], '--interval must be a duration such as 3s or 500ms, got "2"; write 2s'],
  [["-w", "--root=/nonexistent"], expect.stringContaining("/nonexistent")],
])("list %j is refused in a line", async (flags, message) => {
  const { code, stdout, stderr } = await runSidecar(["list", ...flags]);
  expect({ code, stdout, stderr: stderr.trimEnd() }).toEqual({ code: 1, stdout: "", stderr: message });
});

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const SOCKET = `${PLUGINS}/a.csi/csi.sock`;

interface Item {
  readonly driver: string;
  readonly state: string;
}

interface Place extends AsyncDisposable {
  readonly node: MadeNode;
  readonly drivers: Readonly<Record<string, ControlledDriver>>;
  /** Starts a driver in a directory; it has the same name, if no other is given. */
  start(directory: string, name?: string): Promise<void>;
}

async function startPlace(names: readonly string[]): Promise<Place> {
  const made = new AsyncDisposableStack();
  const node = made.use(makeNode());
  makeKubeletRoot(node);
  const drivers: Record<string, ControlledDriver> = {};
  const start = async (directory: string, name = directory): Promise<void> => {
    node.directory(`${PLUGINS}/${directory}`);
    const socketPath = node.outer(`${PLUGINS}/${directory}/csi.sock`);
    drivers[directory] = made.use(await startControlledDriver(socketPath, name));
  };
  for (const name of names) await start(name);
  return { node, drivers, start, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

function driverOf({ drivers }: Place, name: string): ControlledDriver {
  const driver = drivers[name];
  if (driver === undefined) throw new Error(`no driver ${name}`);
  return driver;
}

interface InPty extends AsyncDisposable {
  readonly running: RunningInPty;
  readonly screen: TerminalScreen;
  waitFor(pattern: RegExp): Promise<void>;
}

function watchInPty({ rootDir }: MadeNode, env: Readonly<Record<string, string>> = { TERM: "xterm-256color" }): InPty {
  const running = startInPty([EXECUTABLE, "list", "--watch", "--root", rootDir, ...FLAGS], { columns: 120, env });
  const screen = watchScreen(running, 120, 24);
  let text = "";
  return {
    running,
    screen,
    waitFor: async (pattern) => {
      await waitUntil(
        async () => {
          text = (await screen.lines()).join("\n");
          return pattern.test(text);
        },
        () => `${pattern} on the screen:\n${text}`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill(running.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
      await running.ended;
    },
  };
}

function watchInPipe({ rootDir }: MadeNode, flags: readonly string[] = []) {
  const words = [EXECUTABLE, "list", "--watch", "--root", rootDir, ...FLAGS, ...flags];
  const child = Bun.spawn(words, { env: {}, stdout: "pipe", stderr: "pipe" });
  const lines: string[] = [];
  const errors: string[] = [];
  const reading = [
    readLines(child.stdout, (line) => lines.push(line)),
    readLines(child.stderr, (line) => errors.push(line)),
  ];
  return {
    child,
    lines,
    errors,
    waitFor: (pattern: RegExp) =>
      waitUntil(
        () => lines.some((line) => pattern.test(line)),
        () => `${pattern} in ${JSON.stringify({ lines, errors })}`,
      ),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await Promise.all(reading);
    },
  };
}

function queueOf(socketPath: string): number {
  const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
  return rows.filter((row) => row.endsWith(` 0 ${socketPath}`)).length;
}
