import { randomInt } from "node:crypto";
import { progress, runCommand } from "../scripts/command";
import { runCampaign, type Result } from "./campaign";
import { ORACLE_TIME_ZONE } from "./go-oracle";
import type { Finding, Target } from "./target";
import { TARGETS } from "./targets";
import { startWatchdog } from "./watchdog";

const MAX_SEED = 2 ** 31 - 1;

interface Given {
  readonly minutes: string | undefined;
  readonly seed: string | undefined;
  readonly target: string | undefined;
  readonly path: string | undefined;
}

async function fuzz(given: Given): Promise<number> {
  const minutes = numberOf("minutes", given.minutes ?? "2", "above 0", (value) => value > 0);
  const seed = numberOf("seed", given.seed ?? String(randomInt(MAX_SEED)), "without a fraction", Number.isInteger);
  const targets = targetsNamed(given.target);
  // Both sides print times in it.
  process.env["TZ"] = ORACLE_TIME_ZONE;
  if (given.path !== undefined) return replay(targets, seed, given.path);

  progress(`seed ${seed}`);
  using watchdog = startWatchdog();
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
  const results: Result[] = [];
  for (const target of targets) {
    const durationMs = (minutes * 60_000 * target.weight) / weights;
    const onBatch = (batch: number) => watchdog.watch(`fuzz --target ${target.name} with the inputs of seed ${batch}`);
    // oxlint-disable-next-line no-await-in-loop -- one at a time: it shares the machine with others
    const result = await runCampaign({ target, seed, durationMs, onBatch });
    report(result);
    results.push(result);
  }
  const failed = results.filter(({ finding }) => finding !== undefined).length;
  const inputs = results.reduce((sum, result) => sum + result.inputs, 0);
  console.log(`seed ${seed}: ${inputs.toLocaleString("en")} inputs`);
  console.log(`${results.length - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}

async function replay(targets: readonly Target[], seed: number, path: string): Promise<number> {
  const [target, ...others] = targets;
  if (target === undefined || others.length > 0) throw new Error("--path needs --target");
  await using open = await target.open();
  const finding = await open.replay(seed, path);
  console.log(finding === undefined ? "nothing wrong is found any more" : textOf(target, finding));
  return finding === undefined ? 0 : 1;
}

function report({ target, inputs, wanted, finding }: Result): void {
  console.log(`${target.name} against ${target.against}: ${inputs.toLocaleString("en")} inputs`);
  for (const [reason, count] of wanted) console.log(`  differs ${times(count)}: ${reason}`);
  if (finding !== undefined) console.log(textOf(target, finding));
}

function times(count: number): string {
  return count === 1 ? "once" : `${count.toLocaleString("en")} times`;
}

function textOf({ name }: Target, { seed, path, input, text }: Finding): string {
  const again = `bun run fuzz --target ${name} --seed=${seed} --path ${path}`;
  return `  found with ${input}\n  ${text}\n  to see it again: ${again}`;
}

function targetsNamed(name: string | undefined): readonly Target[] {
  const found = TARGETS.filter((target) => name === undefined || target.name === name);
  if (found.length > 0) return found;
  throw new Error(`--target must be one of ${TARGETS.map((target) => target.name).join(", ")}, got ${name}`);
}

function numberOf(flag: string, text: string, rule: string, holds: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && holds(value)) return value;
  throw new Error(`--${flag} must be a number ${rule}, got ${text}`);
}

await runCommand({
  name: "bun run fuzz",
  about: `Compares what this program reads and writes with Go's own packages and with other implementations, on inputs made up
    at random. Exits with 1 when it finds a difference that is not listed as wanted. docs/reliability.md`,
  flags: {
    minutes: { value: "N", help: "How long, for all targets together; 2." },
    seed: { value: "N", help: "Makes the same inputs again; a random one, which is printed." },
    target: { value: "NAME", help: `Only this one of ${TARGETS.map(({ name }) => name).join(", ")}.` },
    path: { value: "PATH", help: "The one input that a finding names, with its target and its seed." },
  },
  run: fuzz,
});
