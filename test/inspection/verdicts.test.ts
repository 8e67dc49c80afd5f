import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { callOnce } from "../../src/driver/client";
import { PROBE } from "../../src/driver/messages";
import { questionDriver } from "../../src/inspection/questions";
import { takeDriverSteps } from "../../src/inspection/steps/driver";
import { nextCommands } from "../../src/inspection/next-commands";
import { probeOnce } from "../../src/driver/probe";
import type { DriverOutcome } from "../../src/inspection/report";
import { lookAtSocketFile } from "../../src/driver/socket-file";
import { type BehaviourName, BEHAVIOURS, HOSTILE, type HostileName } from "../support/hostile-behaviours";
import { startHostileDriver, startScriptedDriver } from "../support/hostile-driver";
import { makeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";
import { SLOW } from "../support/oracle-differences";

/** Whoever answers has the time to do so on a busy machine. After a large message some driver answers nothing more. */
const timeoutFor = (name: HostileName) => (SLOW.has(name) || /message of (65,537|3 MB)/.test(name) ? 500 : 10_000);

/** Floods keep the process of the tests busy, which has both ends: what is in time there is chance. */
const NAMES = (Object.keys(HOSTILE) as HostileName[]).filter((name) => !/flood|without end|16 MB|every/.test(name));

describe("check, list and inspect say the same of a driver that", () => {
  test.concurrent.each(NAMES)("%s", async (name) => {
    await using driver = await startHostileDriver(name);
    await expectOneVerdict(driver.socketPath, timeoutFor(name));
  });

  test.each<[string, BehaviourName]>([
    ["refuses the first call with REFUSED_STREAM", "resets the stream with REFUSED_STREAM"],
    ["sends GOAWAY below the first call", "sends GOAWAY below our stream"],
    ["sends GOAWAY before the first call", "sends GOAWAY after SETTINGS"],
  ])("%s, and is ready over the next connection", async (_, refusal) => {
    let connections = 0;
    await using driver = await startScriptedDriver((socket) => {
      connections += 1;
      // One of them each makes the first connection.
      BEHAVIOURS[connections % 2 === 1 ? refusal : "answers ready (right)"](socket);
    });
    expect(await expectOneVerdict(driver.socketPath, 10_000)).toBe("ready");
  });
});

/** The verdict of all three. */
async function expectOneVerdict(socketPath: string, probeTimeoutMs: number): Promise<string> {
  await using node = makeNode();
  const self = { program: ["livenessprobe"], flags: [] };
  const next = nextCommands(rootOf(node), self, { pid: undefined, pod: undefined });
  const { dev, ino } = statSync(socketPath, { bigint: true });
  const common = { socketPath, connectPath: socketPath, fileId: `${dev}:${ino}`, probeTimeoutMs };
  const client = { socketPath, timeoutMs: probeTimeoutMs };
  const socketFile = () => lookAtSocketFile(socketPath);
  const checked = verdictOf(await probeOnce({ probe: () => callOnce(client, PROBE), socketPath, socketFile }));
  const listed = await questionDriver({ ...common, wide: false });
  const inspected = await takeDriverSteps({ ...common, nodeInfo: false, next, onWait: () => undefined });
  expect({ list: verdictOf(listed.outcome), inspect: verdictOf(inspected.answers.outcome) }).toEqual({
    list: checked,
    inspect: checked,
  });
  return checked;
}

function verdictOf(outcome: Pick<DriverOutcome, "kind"> & { readonly reason?: string }): string {
  return outcome.reason ?? outcome.kind;
}
