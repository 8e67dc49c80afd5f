import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startDriver } from "../support/drivers";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { runInPty, screenOf } from "../support/pty";

const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");
const PLUGINS = "/var/lib/kubelet/plugins";
// oxlint-disable-next-line no-control-regex -- what colours are made of is what is looked for
const ESCAPES = /\u001b\[[\d;]*m/g;

describe.each([80, 200])("in a real terminal of %d columns, list", (columns) => {
  test.each([
    ["has colours", { TERM: "xterm-256color" }, true],
    ["has none with NO_COLOR", { TERM: "xterm-256color", NO_COLOR: "1" }, false],
    ["has none in a dumb one", { TERM: "dumb" }, false],
  ])("%s, keeps to the width, and tells every driver", async (_, env, coloured) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    node.directory(`${PLUGINS}/a.csi`);
    drivers.use(await startDriver("grpc-js", { name: "a.csi", socketPath: node.outer(`${PLUGINS}/a.csi/csi.sock`) }));
    node.staleSocket(`${PLUGINS}/stale.csi/csi.sock`);
    const ran = await runInPty([EXECUTABLE, "list", "--root", node.rootDir], { columns, env });
    expect(ran.code).toBe(4);
    expect(ran.output.search(ESCAPES) >= 0).toBe(coloured);
    const lines = screenOf(ran.output.replaceAll(ESCAPES, "")).split("\n");
    expect(lines.filter((line) => line.length > columns && !line.includes("livenessprobe inspect "))).toEqual([]);
    expect(lines[0]).toStartWith("DRIVER ");
    expect(lines.join("\n")).toMatch(/^a\.csi .* ready /m);
    expect(lines.join("\n")).toMatch(/ failed: nobody_listens /);
    expect(lines.join("\n")).toContain(`${PLUGINS}/stale.csi/csi.sock`);
  });
});

test("the progress line is on standard error alone, and is erased", async () => {
  await using node = kubeletNode();
  node.staleSocket(`${PLUGINS}/stale.csi/csi.sock`);
  const ran = await runInPty([EXECUTABLE, "list", "--root", node.rootDir], { columns: 80, apart: "stdout" });
  expect(ran.output).toContain("asked 1 of 1 drivers ...");
  expect(screenOf(ran.output)).toMatch(
    /^\* named .*\n1 driver: 1 failed; next:\s+\S+\/livenessprobe inspect stale\.csi --root \S+\s*$/,
  );
  expect(ran.apart).toStartWith("DRIVER ");
});

function kubeletNode(): MadeNode {
  const node = makeNode();
  makeKubeletRoot(node);
  return node;
}
