import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { reportListeners } from "../../../src/inspection/steps/listener";
import { type MadeNode, makeNode } from "../../support/made-node";
import { LISTEN, startPython } from "../../support/made-node-process";
import { rootOf } from "../../support/made-node-root";

const ACCESS = { procDir: "/proc", uid: process.getuid?.() ?? 0 };

describe("for the rows of list", () => {
  test("a process that listens on several sockets is described once", async () => {
    await using node = makeNode();
    const paths = ["/a.sock", "/b.sock"].map((path) => node.outer(path));
    await using driver = await startPython(LISTEN, paths);
    const view = { ...ACCESS, root: rootOf(node), kubeletDirs: [] };
    const { byFileId } = await reportListeners(view, paths.map(socketAt));
    const [first, second] = byFileId.values();
    expect(first).toMatchObject({ pid: driver.pid });
    expect(second).toBe(first);
  });

  test("everything else has its turn between two processes that take long to be described", async () => {
    await using node = makeNode();
    await using drivers = new AsyncDisposableStack();
    const paths = ["/a.sock", "/b.sock", "/c.sock"].map((path) => node.outer(path));
    for (const path of paths) drivers.use(await startPython(LISTEN, [path]));
    using turns = countTurns();
    const { described, view } = slowView(node, turns.count);
    await reportListeners(view, paths.map(socketAt));
    expect(described).toHaveLength(paths.length);
    expect(new Set(described).size).toBe(paths.length);
  });
});

function socketAt(path: string) {
  const { dev, ino, uid } = statSync(path, { bigint: true });
  return { path, outerPath: path, fileId: `${dev}:${ino}`, ownerUid: Number(uid) };
}

/** Keeps the thread for longer than a slice whenever a process is described, and notes at which turn that was. */
function slowView(node: MadeNode, turn: () => number) {
  const described: number[] = [];
  const view = {
    ...ACCESS,
    root: rootOf(node),
    get kubeletDirs(): readonly string[] {
      described.push(turn());
      Bun.sleepSync(20);
      return [];
    },
  };
  return { described, view };
}

/** Counts how often this thread is free for something else. */
function countTurns(): Disposable & { readonly count: () => number } {
  let turns = 0;
  let immediate: NodeJS.Immediate;
  const next = (): void => {
    turns += 1;
    immediate = setImmediate(next);
  };
  immediate = setImmediate(next);
  return { count: () => turns, [Symbol.dispose]: () => clearImmediate(immediate) };
}
