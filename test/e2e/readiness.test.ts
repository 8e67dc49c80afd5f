import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { buildKustomization, containerOf, podOf, readManifests } from "../support/manifests";
import { kubeletNode } from "../support/listed-node";
import { startMonitor, startNamed } from "../support/monitor";
import type { Sidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(240_000);

const EXAMPLE = join(import.meta.dirname, "../../deploy/examples/node-readiness");
const READINESS = buildKustomization(EXAMPLE);
const reporter = containerOf(podOf(READINESS), "reporter");
const environment = new Map(reporter.env?.map(({ name, value = "" }) => [name, value]));
const CONDITION = environment.get("CONDITION_TYPE") ?? "";
const [DRIVER = ""] = CONDITION.split("/");

interface Condition {
  readonly status: "True" | "False";
  readonly message: string;
}

/**
 * What the reporter (cmd/readiness-condition-reporter of the Node Readiness Controller) makes of one check: GET, for at
 * most 10 s; a status of 2xx is True, any other answer is False, with its first 64 KiB in the message, and so is none.
 */
async function report(monitor: Sidecar): Promise<Condition> {
  // Here the monitor listens on another port than in its pod.
  const { pathname } = new URL(environment.get("CHECK_ENDPOINT") ?? "");
  try {
    const response = await monitor.get(pathname, { signal: AbortSignal.timeout(10_000) });
    const message = (await response.text()).slice(0, 65_536);
    return { status: response.ok ? "True" : "False", message: response.ok ? "" : message };
  } catch (error) {
    return { status: "False", message: String(error) };
  }
}

test.concurrent(
  "played with the example's environment, the reporter's condition follows the driver that it names",
  async () => {
    await using node = kubeletNode();
    await using other = await startNamed(node, "other.csi");
    await using monitor = await startMonitor(node);
    const reported = (status: Condition["status"], message: RegExp) =>
      waitUntil(async () => {
        const condition = await report(monitor);
        return condition.status === status && message.test(condition.message);
      }, `the condition to be ${status}, and its message ${message}`);

    await reported("False", /^no such driver was seen$/m);
    const driver = await startNamed(node, DRIVER);
    await reported("True", /^$/);
    driver.mode = "notReady";
    await reported("False", /not ready/);
    driver.mode = "hold";
    await reported("False", /^driver hung: /);
    driver.mode = "ready";
    driver.release();
    await reported("True", /^$/);
    other.mode = "unavailable";
    await waitUntil(async () => (await monitor.get("/readyz")).status === 500, "the other driver's failure");
    await reported("True", /^$/);
    await driver[Symbol.asyncDispose]();
    await reported("False", /./);
    monitor.signal("SIGKILL");
    await reported("False", /./);
  },
);

test.concurrent(
  "a driver that goes on failing has one message, so that its node's status is not written again and again",
  async () => {
    await using node = kubeletNode();
    await using driver = await startNamed(node, DRIVER);
    driver.mode = "unavailable";
    await using monitor = await startMonitor(node);
    const probes = () => driver.calls.filter((call) => call.endsWith("/Probe")).length;
    await waitUntil(() => probes() > 1, "a second probe");
    const { message } = await report(monitor);
    await waitUntil(() => probes() > 2, "a third probe");
    expect((await report(monitor)).message).toBe(message);
  },
);

test("the reporter may do what it does, which is to read its node and to write that node's status", () => {
  const roles = READINESS.filter(({ kind }) => kind === "ClusterRole");
  expect<unknown>(roles).toMatchObject([
    {
      rules: [
        { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
        { apiGroups: [""], resources: ["nodes/status"], verbs: ["update"] },
      ],
    },
  ]);
});

test("the rule waits for that condition, and for the status that a ready driver gives it", () => {
  const [rule] = readManifests(join(EXAMPLE, "rule.yaml"));
  expect<unknown>(rule?.spec).toMatchObject({ conditions: [{ type: CONDITION, requiredStatus: "True" }] });
});
