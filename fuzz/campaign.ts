import { createHash } from "node:crypto";
import type { Finding, Target } from "./target";

export interface Result {
  readonly target: Target;
  readonly inputs: number;
  readonly wanted: ReadonlyMap<string, number>;
  /** Ends the target's campaign: the next batches would mostly find the same. */
  readonly finding: Finding | undefined;
}

export interface CampaignOptions {
  readonly target: Target;
  readonly seed: number;
  /** At least one batch is run. */
  readonly durationMs: number;
  /** Called before each batch, with its seed. */
  readonly onBatch: (seed: number) => void;
}

/** Runs batches of one target, whose seeds follow from the campaign's seed, until the time is up or there is a finding. */
export async function runCampaign({ target, seed, durationMs, onBatch }: CampaignOptions): Promise<Result> {
  await using open = await target.open();
  const wanted = new Map<string, number>();
  let inputs = 0;
  const start = performance.now();
  for (let number = 0; number === 0 || performance.now() - start < durationMs; number += 1) {
    const batchSeed = seedOf(seed, target.name, number);
    onBatch(batchSeed);
    // oxlint-disable-next-line no-await-in-loop -- a batch follows from the one before only in time
    const batch = await open.run(batchSeed);
    inputs += batch.inputs;
    for (const [reason, count] of batch.wanted) wanted.set(reason, (wanted.get(reason) ?? 0) + count);
    if (batch.finding !== undefined) return { target, inputs, wanted, finding: batch.finding };
  }
  return { target, inputs, wanted, finding: undefined };
}

/** A signed number of 32 bits, as fast-check wants its seeds. */
function seedOf(seed: number, target: string, batch: number): number {
  return createHash("sha256").update(`${seed} ${target} ${batch}`).digest().readInt32LE();
}
