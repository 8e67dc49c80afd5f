/** How much the bench does. Times are in milliseconds. */
export interface Scale {
  /** Probes of one caller after which memory is read, in all. */
  readonly probeSteps: readonly number[];
  /** Between the last probe and reading memory. */
  readonly restMs: number;
  /** Where there are fewer than four cores, one: each takes longer there. */
  readonly memoryRuns: number;
  /** Probes 0.5 s apart under a memory limit: while searching, and to confirm what was found. */
  readonly searchProbes: number;
  readonly confirmProbes: number;
  /** How exact the lowest memory limit is found, in MiB. */
  readonly limitStepMib: number;
  readonly starts: number;
  /** How often the programs take turns at answering callers. */
  readonly rounds: number;
  readonly oneCallerProbes: number;
  readonly manyCallersSeconds: number;
  readonly idleMs: number;
}

export const FULL: Scale = {
  probeSteps: [1, 2_000, 20_000],
  restMs: 10_000,
  memoryRuns: 2,
  searchProbes: 8,
  confirmProbes: 100,
  limitStepMib: 1,
  starts: 15,
  rounds: 5,
  oneCallerProbes: 3_000,
  manyCallersSeconds: 3,
  idleMs: 10_000,
};

export const QUICK: Scale = {
  probeSteps: [1, 500, 2_000],
  restMs: 3_000,
  memoryRuns: 1,
  searchProbes: 4,
  confirmProbes: 20,
  limitStepMib: 2,
  starts: 5,
  rounds: 2,
  oneCallerProbes: 1_000,
  manyCallersSeconds: 2,
  idleMs: 10_000,
};
