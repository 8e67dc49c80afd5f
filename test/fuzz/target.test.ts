import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { runCampaign } from "../../fuzz/campaign";
import { AGREES, createTarget, type Verdict, wantedBecause } from "../../fuzz/target";

function target(verdictOn: (number: number) => Verdict) {
  return createTarget({
    name: "numbers",
    against: "a rule",
    weight: 1,
    inputs: fc.nat(1_000_000),
    batchSize: 100,
    open: async () => ({
      judge: async (numbers) => numbers.map(verdictOn),
      [Symbol.asyncDispose]: async () => {},
    }),
  });
}

const run = (verdictOn: (number: number) => Verdict, durationMs = 0) =>
  runCampaign({ target: target(verdictOn), seed: 42, durationMs, onBatch: () => {} });

const LARGE: Verdict = { kind: "finding", text: "it is large" };
const fromThousand = (number: number) => (number >= 1_000 ? LARGE : AGREES);

test("a finding is shrunk, and found again by its seed and path", async () => {
  const { finding } = await run(fromThousand);
  expect(finding).toMatchObject({ input: "1000", text: "it is large" });
  await using open = await target(fromThousand).open();
  expect(await open.replay(finding?.seed ?? 0, finding?.path ?? "")).toMatchObject({ input: "1000" });
});

test("a finding that is mended is found no more", async () => {
  const { finding } = await run(fromThousand);
  await using open = await target(() => AGREES).open();
  expect(await open.replay(finding?.seed ?? 0, finding?.path ?? "")).toBeUndefined();
});

test("what happens only beside other inputs is reported as it was found", async () => {
  const judged: number[] = [];
  const { finding } = await run((number) => (judged.push(number) === 50 ? LARGE : AGREES));
  expect(finding).toMatchObject({ path: "49", input: String(judged[49]) });
});

test("a fault of a whole batch is a finding", async () => {
  const { finding } = await run(() => {
    throw new Error("the oracle ended");
  });
  expect(finding).toMatchObject({ input: "a batch of 100", text: "the oracle ended" });
});

test("wanted differences are counted by their reason", async () => {
  const result = await run((number) => (number % 2 === 0 ? wantedBecause("it is even") : AGREES));
  expect(result).toMatchObject({ inputs: 100, finding: undefined });
  expect([...result.wanted.keys()]).toEqual(["it is even"]);
});

test("the same seed makes the same inputs", async () => {
  expect(await inputsOfRun()).toEqual(await inputsOfRun());
});

async function inputsOfRun(): Promise<readonly number[]> {
  const judged: number[] = [];
  await run((number) => (judged.push(number), AGREES));
  return judged;
}
