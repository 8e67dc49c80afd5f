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
    const place = { root: rootOf(node), places: { rootDir: "/", kubeletDirs: [] }, socketPath: "/csi.sock" };
    expect(nextCommands(place, { pid, pod }).logs).toBe(command);
  });
});

describe("what is given on the command line is quoted:", () => {
  test.each([
    ["as it is", "/", "/csi.sock", "livenessprobe inspect /csi.sock"],
    ["with its root", "/host", "/csi.sock", "livenessprobe inspect /csi.sock --root /host"],
    ["for a shell", "/it's", "/$(id).sock", String.raw`livenessprobe inspect '/$(id).sock' --root '/it'\''s'`],
    ["or left out", "/", "/\u001b[2J.sock", undefined],
  ])("%s", async (_, rootDir, socketPath, command) => {
    await using node = makeNode();
    const place = { root: rootOf(node), places: { rootDir, kubeletDirs: [] }, socketPath };
    expect(nextCommands(place, { pid: undefined, pod: undefined }).inspect).toBe(command);
  });
});

describe("the node's name", () => {
  test.each([
    [
      "is its host name",
      "node-1.example\n",
      "kubectl get pods -A -o wide --field-selector spec.nodeName=node-1.example",
    ],
    ["is not used where it could be none", "$(id)\n", "kubectl get pods -A -o wide"],
    ["is not used where it is a flag", "--all\n", "kubectl get pods -A -o wide"],
  ])("%s", async (_, text, command) => {
    await using node = makeNode();
    node.file("/etc/hostname", text);
    const place = { root: rootOf(node), places: { rootDir: "/", kubeletDirs: [] }, socketPath: "/csi.sock" };
    expect(nextCommands(place, { pid: undefined, pod: undefined }).pods).toBe(command);
  });
});
