import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** Ends this process where a batch does not end: a loop in our own code stops every timer of its thread. */
export interface Watchdog extends Disposable {
  /** @param doing what to print where nothing else follows in time */
  watch(doing: string): void;
}

const BOUND_MS = 180_000;

export function startWatchdog(): Watchdog {
  const worker = new Worker(import.meta.filename);
  worker.unref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
  return { watch: (doing) => worker.postMessage(doing), [Symbol.dispose]: () => void worker.terminate() };
}

if (!isMainThread && parentPort !== null) {
  let timer: Timer | undefined;
  parentPort.on("message", (doing: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // console.log of a worker goes through the main thread, which hangs.
      writeSync(2, `In ${BOUND_MS / 1_000} s this did not end: ${doing}\n`);
      process.kill(process.pid, "SIGKILL");
    }, BOUND_MS);
  });
}
