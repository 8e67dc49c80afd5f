import type { Cleanup } from "./cleanup";
import type { Program } from "./programs";
import type { Scale } from "./scale";
import type { Figure } from "./table";

/** What each part of the bench is given. */
export interface Bench {
  readonly ours: Program;
  /** Undefined where there is none on this machine. */
  readonly baseline: Program | undefined;
  /** A program that is nothing but `Bun.serve`, compiled as ours is. */
  readonly bare: Program;
  /** Of a driver that is ready. */
  readonly csiAddress: string;
  readonly scale: Scale;
  readonly cleanup: Cleanup;
}

export const CALLERS = 50;

/** A figure before it is measured. */
export interface FigureName<Key extends string> {
  readonly key: Key;
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
}

/** What one program showed in one run. A figure that could not be had is absent. */
export type Reading<Key extends string> = Readonly<Partial<Record<Key, number>>>;

/** What the programs showed, a reading a run. */
export interface Readings<Key extends string> {
  readonly ours: readonly Reading<Key>[];
  readonly baseline: readonly Reading<Key>[];
  readonly bare?: readonly Reading<Key>[];
}

/** Readings by run as rows by figure. */
export function figuresOf<Key extends string>(
  names: readonly FigureName<Key>[],
  { ours, baseline, bare = [] }: Readings<Key>,
): readonly Figure[] {
  return names.map(({ key, ...name }) => {
    const samples = (readings: readonly Reading<Key>[]): readonly number[] =>
      readings.flatMap((reading) => reading[key] ?? []);
    return { ...name, ours: samples(ours), baseline: samples(baseline), bare: samples(bare) };
  });
}

/**
 * Runs `measure` for both programs, `times` times; whoever was first in one round is second in the next.
 *
 * @param sideBySide at the same time, for what is no matter of time
 */
export async function takeTurns<Value>(
  { ours, baseline }: Bench,
  times: number,
  measure: (program: Program, run: number) => Promise<Value>,
  sideBySide = false,
): Promise<{ readonly ours: readonly Value[]; readonly baseline: readonly Value[] }> {
  const values: { ours: Value[]; baseline: Value[] } = { ours: [], baseline: [] };
  for (let run = 0; run < times; run += 1) {
    const turns = [
      async () => void values.ours.push(await measure(ours, run)),
      async () => void (baseline && values.baseline.push(await measure(baseline, run))),
    ];
    if (run % 2 === 1) turns.reverse();
    // oxlint-disable no-await-in-loop -- in turns is the point
    if (sideBySide) await Promise.all(turns.map((turn) => turn()));
    else for (const turn of turns) await turn();
    // oxlint-enable no-await-in-loop
  }
  return values;
}
