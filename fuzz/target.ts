import * as fc from "fast-check";
import { errorText } from "../src/base/errors";

/** What was seen of one input: nothing wrong, a difference that is wanted, or a finding in words. */
export type Verdict =
  | { readonly kind: "agrees" }
  /** `reason` is a constant text: it is counted. */
  | { readonly kind: "wanted"; readonly reason: string }
  | { readonly kind: "finding"; readonly text: string };

export const AGREES: Verdict = { kind: "agrees" };

/** One thing that is fuzzed. `against` says what its answers are compared with. */
export interface Target {
  readonly name: string;
  readonly against: string;
  /** Its part of the time, beside those of the other targets. */
  readonly weight: number;
  open(): Promise<OpenTarget>;
}

export interface OpenTarget extends AsyncDisposable {
  /** Judges the inputs that belong to the seed, always the same ones, and shrinks the first one that is a finding. */
  run(seed: number): Promise<Batch>;
  /** Makes one input again, shrinks it further where it can, and judges it. */
  replay(seed: number, path: string): Promise<Finding | undefined>;
}

export interface Batch {
  readonly inputs: number;
  /** How often each wanted difference was seen, by its reason. */
  readonly wanted: ReadonlyMap<string, number>;
  readonly finding: Finding | undefined;
}

export interface Finding {
  readonly seed: number;
  /** Where fast-check finds the shrunk input again. */
  readonly path: string;
  /** The shrunk input, as fast-check prints it. */
  readonly input: string;
  readonly text: string;
}

export interface Judge<Input> extends AsyncDisposable {
  /** @returns a verdict for each input, in their order */
  judge(inputs: readonly Input[]): Promise<readonly Verdict[]>;
}

export interface TargetOptions<Input> {
  readonly name: string;
  readonly against: string;
  readonly weight: number;
  readonly inputs: fc.Arbitrary<Input>;
  /** How many inputs are judged at once. */
  readonly batchSize: number;
  readonly open: () => Promise<Judge<Input>>;
}

/** Shrinking ends then, with what it has. */
const SHRINK_BOUND_MS = 60_000;

export function createTarget<Input>({ inputs, batchSize, open, ...about }: TargetOptions<Input>): Target {
  return {
    ...about,
    open: async () => {
      const judge = await open();
      const replay = async (seed: number, path: string): Promise<Finding | undefined> => {
        let text = "";
        const property = fc.asyncProperty(inputs, async (input) => {
          const [verdict] = await judge.judge([input]);
          if (verdict?.kind !== "finding") return;
          ({ text } = verdict);
          throw new Error(text);
        });
        const found = await fc.check(property, { seed, path, numRuns: 1, interruptAfterTimeLimit: SHRINK_BOUND_MS });
        if (found.counterexamplePath === null) return undefined;
        const [input] = found.counterexample;
        const error = found.errorInstance instanceof Error ? found.errorInstance.message : text;
        return { seed, path: found.counterexamplePath, input: printed(input), text: error };
      };
      const run = async (seed: number): Promise<Batch> => {
        const made = fc.sample(inputs, { seed, numRuns: batchSize });
        const wanted = new Map<string, number>();
        try {
          const verdicts = await judge.judge(made);
          for (const verdict of verdicts) {
            if (verdict.kind === "wanted") wanted.set(verdict.reason, (wanted.get(verdict.reason) ?? 0) + 1);
          }
          const index = verdicts.findIndex(({ kind }) => kind === "finding");
          const verdict = verdicts[index];
          if (verdict?.kind !== "finding") return { inputs: made.length, wanted, finding: undefined };
          const path = String(index);
          // What happens only in company of the other inputs cannot be shrunk.
          const unshrunk = { seed, path, input: printed(made[index]), text: verdict.text };
          return { inputs: made.length, wanted, finding: (await replay(seed, path)) ?? unshrunk };
        } catch (error) {
          const finding = { seed, path: "0", input: `a batch of ${made.length}`, text: errorText(error) };
          return { inputs: made.length, wanted, finding };
        }
      };
      return { run, replay, [Symbol.asyncDispose]: () => judge[Symbol.asyncDispose]() };
    },
  };
}

/** A judge that compares our answer to each input with an oracle's, and needs no other resource than that oracle. */
export function compare<Input, Answer>(
  oracle: AsyncDisposable & { readonly ask: (inputs: readonly Input[]) => Promise<readonly Answer[]> },
  verdictOn: (input: Input, theirs: Answer) => Verdict | Promise<Verdict>,
): Judge<Input> {
  return {
    judge: async (inputs) => {
      const answers = await oracle.ask(inputs);
      if (answers.length !== inputs.length) throw new Error(`${answers.length} answers to ${inputs.length} inputs`);
      return Promise.all(
        inputs.map(async (input, index) => {
          try {
            // `answers` has as many.
            return await verdictOn(input, answers[index] as Answer);
          } catch (error) {
            return { kind: "finding", text: `threw ${errorText(error)}` } as const;
          }
        }),
      );
    },
    [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
  };
}

/** Agrees where both print alike, and is a finding otherwise. */
export function same(ours: unknown, theirs: unknown): Verdict {
  if (Bun.deepEquals(ours, theirs)) return AGREES;
  return { kind: "finding", text: `ours: ${show(ours)}, theirs: ${show(theirs)}` };
}

export function wantedBecause(reason: string): Verdict {
  return { kind: "wanted", reason };
}

const MAX_PRINTED = 2_000;

function printed(input: unknown): string {
  const text = fc.stringify(input);
  return text.length <= MAX_PRINTED
    ? text
    : `${text.slice(0, MAX_PRINTED)} and ${text.length - MAX_PRINTED} characters`;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : fc.stringify(value);
}
