import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { describeProcess, type ProcessFacts, withoutShortWaits } from "../../src/processes/processes";
import { makeNode } from "../support/made-node";
import { asNobody, runScript, startPython } from "../support/made-node-process";
import { NOBODY_UID } from "../support/socket-cases";
import { waitUntil } from "../support/wait";

const isRoot = process.getuid?.() === 0;

const IDLE = 'import sys; print("ready", flush=True); sys.stdin.read()';
// The child of posix_spawn(3) opens its input, a FIFO without a writer; until that is done its parent waits in state D.
const SPAWN = `
import os, sys
def spawn():
    actions = [(os.POSIX_SPAWN_CLOSE, 1), (os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)]
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions)
print("ready", flush=True)
`;

describe("a process", () => {
  test("is described", async () => {
    await using driver = await startPython(IDLE);
    const asleep = await waitUntil(() => asleepAs(driver.pid), "it to sleep");
    expect(asleep).toEqual({
      pid: driver.pid,
      name: expect.stringMatching(/^python3/),
      state: { letter: "S", word: "sleeping" },
      wait: undefined,
      blocked: [],
      uid: process.getuid?.(),
      ageMs: expect.any(Number),
      executable: expect.stringMatching(/\/python3/),
      cgroups: expect.arrayContaining([{ controllers: expect.any(Array), path: expect.stringMatching(/^\//) }]),
    });
  });

  test("is as old as it is", async () => {
    const before = performance.now();
    await using driver = await startPython(IDLE);
    const young = factsOf(driver.pid).ageMs ?? Number.NaN;
    // The kernel counts in hundredths of a second, and rounds both ends.
    expect(young).toBeLessThanOrEqual(performance.now() - before + 20);
    expect(factsOf(process.pid).ageMs).toBeGreaterThan(young);
  });

  test("that is stopped says so", async () => {
    await using driver = await startPython(IDLE);
    process.kill(driver.pid, "SIGSTOP");
    await waitUntil(() => factsOf(driver.pid).state.word === "stopped", "it to stop");
  });

  test("that has ended is gone, and a zombie until somebody asks for its end", async () => {
    await using parent = await startPython(
      `import os, sys
child = os.fork()
if child == 0: os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("ready", flush=True); sys.stdin.read()`,
    );
    const child = Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim());
    expect(factsOf(child)).toMatchObject({
      state: { word: "zombie" },
      executable: undefined,
    });
    expect(describeProcess("/proc", 2 ** 30)).toBeUndefined();
  });

  test("that hangs says in what", async () => {
    await using node = makeNode();
    node.fifo("/fifo");
    await using driver = await startPython(`${SPAWN}spawn()`, [node.outer("/fifo")]);
    await waitUntil(() => hangs(factsOf(driver.pid)), "it to hang");
    const { state, wait, blocked } = factsOf(driver.pid);
    expect(state.word).toBe("uninterruptible");
    expect(wait).toMatch(/^waits for a program that it starts \(\w*(clone|fork)\w*\)$/);
    expect(blocked).toMatchObject([{ state, wait }]);
  });

  test("that sleeps tells of its threads that hang", async () => {
    await using node = makeNode();
    node.fifo("/fifo");
    const script = `${SPAWN}import threading\nthreading.Thread(target=spawn).start()\nsys.stdin.read()`;
    await using driver = await startPython(script, [node.outer("/fifo")]);
    await waitUntil(() => sleepsOverBlocked(factsOf(driver.pid)), "a thread to hang");
    const [thread] = factsOf(driver.pid).blocked;
    expect(thread?.wait).toStartWith("waits for a program that it starts ");
  });

  test("is described by the kernel's files alone, and what never answers is not read", async () => {
    await using node = makeNode();
    node.file("/proc/7/stat", "7 (driver) D 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0");
    node.file("/proc/7/comm", "driver\n");
    node.file("/proc/7/status", "Name:\tdriver\nUid:\t1\t2\t3\t4\n");
    node.file("/proc/uptime", "65.00 100.00\n");
    node.fifo("/proc/7/cmdline");
    expect(describeProcess(node.outer("/proc"), 7)).toMatchObject({
      name: "driver",
      uid: 2,
      ageMs: 60_000,
      executable: undefined,
    });
  });
});

const SEEN = { state: { letter: "S" }, uid: 0, ageMs: expect.any(Number) };

describe.if(isRoot)("the executable", () => {
  test("is not seen by another user, and all else is", async () => {
    await using driver = await startPython(IDLE);
    const facts = await asNobody(scriptFor(driver.pid));
    expect(facts).toMatchObject({ ...SEEN, pid: driver.pid });
    expect(facts).not.toHaveProperty("executable");
  });

  test("is not seen by uid 0 without capabilities", async () => {
    await using driver = await startPython(IDLE);
    const prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const facts = await runScript(scriptFor(driver.pid), { prefix });
    expect(facts).toMatchObject({ ...SEEN, pid: driver.pid });
    expect(facts).not.toHaveProperty("executable");
  });

  test("is seen by its own user", async () => {
    await using driver = await startPython(IDLE, [], { uid: NOBODY_UID });
    expect(await asNobody(scriptFor(driver.pid))).toMatchObject({ uid: NOBODY_UID, executable: expect.any(String) });
  });
});

function scriptFor(pid: number): string {
  return `import { describeProcess } from "./src/processes/processes";
    console.log(JSON.stringify(describeProcess("/proc", ${pid})));`;
}

/** Undefined while it runs. */
function asleepAs(pid: number): ProcessFacts | undefined {
  const facts = factsOf(pid);
  return facts.state.letter === "S" ? facts : undefined;
}

function hangs({ state, wait }: ProcessFacts): boolean {
  return state.letter === "D" && wait !== undefined;
}

function sleepsOverBlocked({ state, blocked }: ProcessFacts): boolean {
  return state.word === "sleeping" && blocked.length > 0;
}

function factsOf(pid: number): ProcessFacts {
  const facts = describeProcess("/proc", pid);
  if (facts === undefined) throw new Error(`process ${pid} has ended`);
  return facts;
}

test.each([
  ["that has not run since hangs", "7", "7", true],
  ["that has run since does not, though it waits again", "7", "8", false],
  ["that did not wait before does not", undefined, "7", false],
])("a thread %s", (_, before, after, isHanging) => {
  const own = factsOf(process.pid);
  const look = (switches: string | undefined): ProcessFacts => {
    const thread = { id: "5", switches, state: own.state, wait: own.wait };
    return { ...own, blocked: switches === undefined ? [] : [thread] };
  };
  expect(withoutShortWaits(look(before), look(after)).blocked).toHaveLength(isHanging ? 1 : 0);
});
