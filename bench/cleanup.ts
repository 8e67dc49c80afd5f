import { mkdtempSync, rmSync } from "node:fs";

/** Undoes what the bench did to the machine, however the bench ends. */
export interface Cleanup extends Disposable {
  /** `undo` runs once: when what is returned is disposed of, or at the end. The last one in is the first one out. */
  add(undo: () => void): Disposable;
  /** A fresh directory, removed with all it holds in the end. */
  directory(): Directory;
}

export interface Directory extends Disposable {
  readonly path: string;
}

/** At Ctrl-C and SIGTERM everything is undone at once, so the actions are synchronous. */
export function createCleanup(): Cleanup {
  const actions: (() => void)[] = [];
  const undoAll = (): void => {
    for (let undo = actions.pop(); undo !== undefined; undo = actions.pop()) attempt(undo);
  };
  const interrupted = (): void => {
    undoAll();
    process.exit(130);
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  const add: Cleanup["add"] = (undo) => {
    actions.push(undo);
    return {
      [Symbol.dispose]: () => {
        const index = actions.indexOf(undo);
        if (index === -1) return;
        actions.splice(index, 1);
        attempt(undo);
      },
    };
  };
  return {
    add,
    directory: () => {
      // In /tmp whatever TMPDIR says: a socket's path has at most 107 bytes (unix(7)).
      const path = mkdtempSync("/tmp/livenessprobe-bench-");
      return { path, ...add(() => rmSync(path, { recursive: true, force: true })) };
    },
    [Symbol.dispose]: () => {
      undoAll();
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
    },
  };
}

// One thing that cannot be undone must not keep the others from it.
function attempt(undo: () => void): void {
  try {
    undo();
  } catch (error) {
    console.error(`Could not clean up: ${Error.isError(error) ? error.message : String(error)}`);
  }
}
