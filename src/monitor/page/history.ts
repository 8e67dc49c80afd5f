import type { DriverOutcome } from "../../inspection/report";

/** The last hour of a driver, for the page. */
export interface History {
  /** Takes in a state, and how long the probe took in milliseconds, if it was answered. */
  note(state: MinuteState, tookMs: number | undefined, wallMs: number): void;
  /** The worst state of each of the last 60 minutes, the oldest first; undefined before the first. */
  minutes(wallMs: number): readonly (MinuteState | undefined)[];
  /** The last durations in milliseconds, the oldest first. */
  durations(): readonly number[];
}

export type MinuteState = Exclude<DriverOutcome["kind"], "notCsi" | "notAsked"> | "unknown";

/** From the best to the worst. */
const RANKS: readonly MinuteState[] = ["ready", "unknown", "notReady", "failed"];

export const MINUTES = 60;
const MINUTE_MS = 60_000;
const MAX_DURATIONS = 60;

export function createHistory(): History {
  let minutes: readonly { readonly minute: number; readonly worst: MinuteState; readonly end: MinuteState }[] = [];
  let durations: readonly number[] = [];
  return {
    note: (state, tookMs, wallMs) => {
      const minute = Math.floor(wallMs / MINUTE_MS);
      const last = minutes.at(-1);
      // A minute begins as the one before has ended.
      const before = (last?.minute === minute ? last.worst : last?.end) ?? state;
      const worst = RANKS.indexOf(before) > RANKS.indexOf(state) ? before : state;
      const others = minutes.filter((each) => each.minute !== minute).slice(-MINUTES);
      minutes = [...others, { minute, worst, end: state }];
      if (tookMs !== undefined) durations = [...durations, tookMs].slice(-MAX_DURATIONS);
    },
    minutes: (wallMs) => {
      const now = Math.floor(wallMs / MINUTE_MS);
      return Array.from({ length: MINUTES }, (_, index) => {
        const minute = now - MINUTES + 1 + index;
        const known = minutes.findLast((each) => each.minute <= minute);
        return known?.minute === minute ? known.worst : known?.end;
      });
    },
    durations: () => durations,
  };
}
