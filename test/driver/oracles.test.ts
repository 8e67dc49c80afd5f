import { afterAll, describe, expect, test } from "bun:test";
import { callOnce, type SingleCall } from "../../src/driver/client";
import { PROBE, type ProbeResponse } from "../../src/driver/messages";
import { statusName } from "../../src/grpc/status";
import { BEHAVIOURS, type BehaviourName, serve } from "../support/hostile-behaviours";
import { startHostileDriver, startScriptedDriver } from "../support/hostile-driver";
import {
  type Difference,
  FROM_GRPC_GO,
  FROM_GRPC_JS,
  SAYS_SOMETHING,
  SLOW,
  UNCOMPARED,
  type Verdict,
} from "../support/oracle-differences";
import { grpcJsOracle, type OracleAnswer, startGoOracle } from "../support/oracles";
import { randomAnswer } from "../support/random-answers";

/** For those that end by no other way than the timeout, with one of the clients. The other one has to be quicker. */
const SHORT_MS = 3_000;
/** Ends a hang. */
const LONG_MS = 60_000;
const BOUND_MS = 120_000;

await using stack = new AsyncDisposableStack();
const grpcJs = stack.use(grpcJsOracle());
const go = stack.use(await startGoOracle());
const resources = stack.move();
afterAll(() => resources.disposeAsync());

const NAMES = (Object.keys(BEHAVIOURS) as BehaviourName[]).filter((name) => !(name in UNCOMPARED));

describe.if(go !== undefined)("grpc-go's client and ours agree, or differ as is written, on a driver that", () => {
  test.concurrent.each(NAMES)(
    "%s",
    async (name) => {
      await expectAgreement(name, (path, timeoutMs) => go?.probe(path, timeoutMs), FROM_GRPC_GO[name]);
    },
    BOUND_MS,
  );
});

describe("grpc-js's client and ours agree, or differ as is written, on a driver that", () => {
  test.concurrent.each(NAMES)(
    "%s",
    async (name) => {
      await expectAgreement(name, grpcJs.probe, FROM_GRPC_JS[name]);
    },
    BOUND_MS,
  );
});

/** Whether the driver is ready is what a probe is for; of all that fails each client may have another opinion. */
test.if(go !== undefined)(
  "1,000 answers made up at random are ready for us and for grpc-go, or for neither",
  async () => {
    const disagreements: string[] = [];
    const compare = async (seed: number): Promise<void> => {
      await using driver = await startScriptedDriver(serve(randomAnswer(seed)));
      const [ours, theirs] = await Promise.all([
        probeOurselves(driver.socketPath, LONG_MS),
        go?.probe(driver.socketPath, LONG_MS),
      ]);
      const [oursIs, theirsIs] = [ours, theirs].map((answer) => (answer?.code === "OK" ? answer.ready : "failed"));
      if (oursIs !== theirsIs) disagreements.push(`seed ${seed}: ${JSON.stringify({ ours, theirs })}`);
    };
    for (let seed = 0; seed < 1_000; seed += 20) {
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      await Promise.all(Array.from({ length: 20 }, (_, index) => compare(seed + index)));
    }
    expect(disagreements).toEqual([]);
  },
  BOUND_MS,
);

type Probe = (socketPath: string, timeoutMs: number) => Promise<OracleAnswer> | undefined;

async function expectAgreement(name: BehaviourName, probe: Probe, difference: Difference | undefined): Promise<void> {
  await using driver = await startHostileDriver(name);
  const timeoutMs = SLOW.has(name) ? SHORT_MS : LONG_MS;
  const answers = await Promise.all([
    probeOurselves(driver.socketPath, timeoutMs),
    probe(driver.socketPath, timeoutMs),
  ]);
  const [ours = "", theirs = ""] = answers.map((answer) => verdictOf(name, answer));
  const [expectedOurs, expectedTheirs] = difference ?? [ours, ours];
  expect({ ours, theirs }).toEqual({ ours: expectedOurs, theirs: expectedTheirs });
}

function verdictOf(name: BehaviourName, answer: OracleAnswer | undefined): Verdict {
  if (answer === undefined) return "not asked";
  if (answer.code === "OK") return answer.ready ? "ready" : "not ready";
  return SAYS_SOMETHING.has(name) ? `${answer.code}: ${short(answer.message)}` : answer.code;
}

function short(message: string): string {
  return message.length > 100 ? `${message.length} characters` : message;
}

async function probeOurselves(socketPath: string, timeoutMs: number): Promise<OracleAnswer> {
  const options = { socketPath, timeoutMs, retryConnect: true };
  const { outcome } = await callOnce(options, PROBE);
  return { ready: false, ...answerOf(outcome) };
}

function answerOf(outcome: SingleCall<ProbeResponse>["outcome"]): Omit<OracleAnswer, "ready"> & Partial<OracleAnswer> {
  switch (outcome.kind) {
    case "answered":
      return { code: "OK", message: "", ready: outcome.response.ready };
    case "noConnection":
      return { code: "DeadlineExceeded", message: outcome.failure.kind };
    case "status":
      return { code: statusName(outcome.code), message: outcome.details };
    case "notGrpc":
      return { code: statusName(outcome.code), message: outcome.kind };
    case "unreadable":
      return { code: "Internal", message: outcome.kind };
    case "closed":
      return { code: "Unavailable", message: outcome.kind };
    case "timeout":
      return { code: "DeadlineExceeded", message: outcome.kind };
  }
  return outcome satisfies never;
}
