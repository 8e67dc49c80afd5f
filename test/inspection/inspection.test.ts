import { expect, test } from "bun:test";
import { makeNode } from "../support/made-node";
import { runToEnd } from "../support/run-to-end";

// Has no descriptor left from the look for who listens until it connects.
const INSPECT_WITHOUT_DESCRIPTORS = `
import { closeSync, openSync } from "node:fs";
import { openNode } from "./src/inspection/node-view";
import { inspectDriver } from "./src/inspection/inspection";
const fds = [];
const exhaust = () => { try { for (;;) fds.push(openSync("/dev/null")); } catch {} };
const release = () => { for (const fd of fds.splice(0)) closeSync(fd); };
const report = await inspectDriver({
  node: await openNode({ rootDir: ROOT, kubeletDirs: [] }),
  self: { program: ["livenessprobe"], flags: [] },
  socketPath: "/csi.sock",
  byName: false,
  nodeInfo: false,
  probeTimeoutMs: 1_000,
  onWait: (what) => (what === "HTTP/2" ? release() : exhaust()),
});
console.log(JSON.stringify(report.outcome));
`;

test("a socket that cannot be held for want of a descriptor is not missing: it is said what failed", async () => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const script = INSPECT_WITHOUT_DESCRIPTORS.replace("ROOT", JSON.stringify(node.rootDir));
  const limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"];
  const { stdout, stderr } = await runToEnd([...limited, process.execPath, "-e", script]);
  expect({ stderr, outcome: JSON.parse(stdout) }).toEqual({
    stderr: "",
    outcome: {
      kind: "notAsked",
      message:
        "livenessprobe could not ask the driver on /csi.sock: too many open files here: the limit is 256 (EMFILE); raise it (ulimit -n, nofile)",
    },
  });
});
