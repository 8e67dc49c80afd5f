import type { Edge } from "../cli/edge";
import { createProgressLine, type ProgressLine } from "../terminal/progress";
import { decideStyle } from "../terminal/style";

/**
 * Begins a progress line on standard error, where that is a terminal. It is erased when it is disposed of, and when a signal ends the
 * process.
 */
export function startProgress({ writeError, streamFacts, onInterrupt }: Edge): ProgressLine {
  const line = createProgressLine({ write: writeError, columns: decideStyle(streamFacts("error")).columns });
  const erase = (): void => line[Symbol.dispose]();
  const interrupt = onInterrupt(erase);
  return {
    show: line.show,
    [Symbol.dispose]: () => {
      interrupt[Symbol.dispose]();
      erase();
    },
  };
}
