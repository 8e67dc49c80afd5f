import { formatDuration } from "../duration";

/** A measured time as a person reads it, in Go's form and no finer than it means something: `213µs`, `1.2ms`, `3.01s`. */
export function formatElapsed(ms: number): string {
  return formatDuration(ms < 1 ? rounded(ms, 1_000) : ms < 1_000 ? rounded(ms, 10) : rounded(ms, 0.1));
}

/** Milliseconds as JSON has them: to a tenth. */
export function tenths(ms: number): number {
  return rounded(ms, 10);
}

function rounded(ms: number, partsPerMs: number): number {
  return Math.round(ms * partsPerMs) / partsPerMs;
}
