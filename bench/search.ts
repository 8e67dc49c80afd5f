/** What to search, in whole steps from `from`. */
export interface Search {
  /** Not enough for sure. */
  readonly from: number;
  /** The largest to try. */
  readonly to: number;
  readonly step: number;
  /** Whether a value is enough, as far as a short look can tell. */
  readonly holds: (value: number) => Promise<boolean>;
  /** The same, by a long look. */
  readonly confirms: (value: number) => Promise<boolean>;
}

/** The smallest value that holds, by bisection, and is confirmed, step by step upwards; undefined where none is. */
export async function lowest({ from, to, step, holds, confirms }: Search): Promise<number | undefined> {
  let fails = 0;
  let held = Math.floor((to - from) / step);
  // oxlint-disable no-await-in-loop -- each step depends on the one before
  while (held - fails > 1) {
    const middle = Math.floor((fails + held) / 2);
    if (await holds(from + middle * step)) held = middle;
    else fails = middle;
  }
  for (let value = from + held * step; value <= to; value += step) if (await confirms(value)) return value;
  // oxlint-enable no-await-in-loop
  return undefined;
}
