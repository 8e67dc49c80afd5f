import { describe, expect, test } from "bun:test";
import { nextCommands } from "../../src/inspection/next-commands";
import type { Pod } from "../../src/processes/pod";
import { makeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";

const POD: Pod = {
  uid: "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516",
  namespace: "kube-system",
  name: "a-csi-node-x2v9k",
  container: "driver",
  containerId: undefined,
  restarted: false,
};
const SELF = { program: ["livenessprobe"], flags: [] };
const JOURNAL = "journalctl -n 100 _PID=42";

describe("where the driver's log is", () => {
  test.each<readonly [string, Pod | undefined, number | undefined, string | undefined]>([
    ["a container", POD, 42, "kubectl logs -n kube-system a-csi-node-x2v9k -c driver"],
    [
      "one that was restarted",
      { ...POD, restarted: true },
      42,
      "kubectl logs -n kube-system a-csi-node-x2v9k -c driver --previous",
    ],
    [
      "a pod whose container is not known",
      { ...POD, container: undefined },
      42,
      "kubectl logs -n kube-system a-csi-node-x2v9k",
    ],
    ["a pod without a name", { ...POD, name: undefined }, 42, JOURNAL],
    ["no pod", undefined, 42, JOURNAL],
    ["nobody", undefined, undefined, undefined],
  ])("%s", async (_, pod, pid, command) => {
    await using node = makeNode();
    node.directory("/run/systemd/system");
    expect(nextCommands(rootOf(node), SELF, { pid, pod }).logs).toBe(command);
  });

  test("it is not known of a process in no pod, where systemd does not run", async () => {
    await using node = makeNode();
    expect(nextCommands(rootOf(node), SELF, { pid: 42, pod: undefined }).logs).toBeUndefined();
  });
});

test.each([
  ["as it is", [], "/opt/livenessprobe list"],
  ["with its flags", ["--root", "/host"], "/opt/livenessprobe list --root /host"],
  ["for a shell", ["--root", "/it's $(id)"], String.raw`/opt/livenessprobe list --root '/it'\''s $(id)'`],
  ["or left out", ["--root", "/\u001b[2J"], undefined],
])("what is given on the command line is quoted: %s", async (_, flags, command) => {
  await using node = makeNode();
  const self = { program: ["/opt/livenessprobe"], flags };
  expect(nextCommands(rootOf(node), self, { pid: undefined, pod: undefined }).list).toBe(command);
});
