import type { ProbeResult } from "../../src/driver/probe";
import { createProber } from "../../src/sidecar/prober";
import { mulberry32 } from "./random-messages";
import { type Behaviour, type Flight, fly, type Phase, type Word } from "./simulated-driver";
import { createVirtualClock, settled } from "./virtual-clock";

/** What is made up of a driver, its callers and the machine below them, and always the same for the same seed. */
export interface Scenario {
  readonly timeoutMs: number;
  readonly phases: readonly Phase[];
  /** When each caller asks, in order. */
  readonly arrivals: readonly number[];
  /** How much later than it should a timer may fire, and a probe end. */
  readonly latenessMs: number;
}

/** What came of it. Times are in milliseconds from its start. */
export interface Course {
  readonly callers: readonly {
    readonly askedMs: number;
    readonly toldMs: number;
    readonly probe: FlownProbe | undefined;
  }[];
  readonly probes: readonly FlownProbe[];
  readonly mostInFlight: number;
}

export interface FlownProbe extends Flight {
  readonly beganMs: number;
}

const WORDS: readonly Word[] = ["ready", "notReady", "rpcError"];

export function makeScenario(seed: number, timeoutMs: number): Scenario {
  const random = mulberry32(seed);
  const pick = <T>(all: readonly [T, ...T[]]): T => all[Math.floor(random() * all.length)] ?? all[0];
  const span = 5 * Math.max(timeoutMs, 200);

  function behaviour(): Behaviour {
    const says = random() < 0.6 ? "ready" : (WORDS[Math.floor(random() * 3)] ?? "ready");
    return pick<() => Behaviour>([
      () => ({ kind: "answers", says, afterMs: random() * 5 }),
      () => ({ kind: "answers", says, afterMs: random() * timeoutMs }),
      () => ({ kind: "answers", says, afterMs: timeoutMs * (0.9 + random() * 0.15) }),
      () => ({ kind: "fails", reason: pick(["closed", "internal"]), afterMs: random() * pick([0, 2, timeoutMs]) }),
      () => ({ kind: "hangs" }),
      () => ({ kind: "hangs" }),
      () => ({ kind: "givesUp" }),
      () => ({ kind: "absent" }),
    ])();
  }

  function arrivals(): readonly number[] {
    const period = span / (5 + random() * 40);
    const burst = random() * span;
    return pick([
      () => times(1 + random() * 60, () => random() * span),
      () => times(span / period, (index) => index * period),
      () => times(1 + random() * 40, () => burst),
      () => [
        ...times(20, () => burst),
        ...times(20, () => burst + random() * timeoutMs),
        ...times(10, () => random() * span),
      ],
    ])().toSorted((one, other) => one - other);
  }

  const starts = Array.from({ length: Math.floor(random() * 6) }, () => random() * span);
  const phases = [0, ...starts.toSorted((one, other) => one - other)].map((fromMs) => ({
    fromMs,
    behaviour: behaviour(),
  }));
  return { timeoutMs, phases, arrivals: arrivals(), latenessMs: pick([0, 0, 25]) };
}

/** Lets a scenario happen to a prober. */
export async function happen({ timeoutMs, phases, arrivals, latenessMs }: Scenario): Promise<Course> {
  const random = mulberry32(arrivals.length);
  const clock = createVirtualClock(() => (latenessMs === 0 ? 0 : random() * (latenessMs + 1) - 1));
  const probes = new Map<ProbeResult, FlownProbe>();
  let inFlight = 0;
  let mostInFlight = 0;
  const prober = createProber({
    timeoutMs,
    clock,
    onResult: () => void (inFlight -= 1),
    probeOnce: async () => {
      const beganMs = clock.nowMs();
      const flight = fly(phases, beganMs, timeoutMs);
      mostInFlight = Math.max(mostInFlight, (inFlight += 1));
      await new Promise<void>((resolve) => clock.after(flight.endMs - beganMs, resolve));
      probes.set(flight.result, { ...flight, beganMs, endMs: clock.nowMs() });
      return flight.result;
    },
  });

  const callers: { askedMs: number; toldMs: number; probe: FlownProbe | undefined }[] = [];
  async function call(): Promise<void> {
    const caller = { askedMs: clock.nowMs(), toldMs: Infinity, probe: undefined as FlownProbe | undefined };
    callers.push(caller);
    const result = await prober.probe();
    caller.toldMs = clock.nowMs();
    caller.probe = probes.get(result);
  }
  for (const atMs of arrivals) {
    // oxlint-disable-next-line no-await-in-loop -- one caller after the other
    await clock.advance(atMs - clock.nowMs());
    void call();
    // oxlint-disable-next-line no-await-in-loop
    await settled();
  }
  await clock.advance(3 * timeoutMs + 3_000);
  return { callers, probes: [...probes.values()], mostInFlight };
}

function times(count: number, at: (index: number) => number): readonly number[] {
  return Array.from({ length: count }, (_, index) => at(index));
}
