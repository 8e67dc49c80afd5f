import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { makeNode } from "../support/made-node";
import { runToEnd } from "../support/run-to-end";

const SRC = join(import.meta.dirname, "../../src");

test.each([
  ["its socket", 0],
  ["the connection", 1],
])("a driver is not asked where no file descriptor is left for %s, which is no verdict on it", async (_, left) => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  node.file("/script.ts", SCRIPT);
  const connectPath = node.outer("/csi.sock");
  const { dev, ino } = statSync(connectPath, { bigint: true });
  const asked = { connectPath, socketPath: "/csi.sock", fileId: `${dev}:${ino}`, probeTimeoutMs: 300 };
  const words = [process.execPath, node.outer("/script.ts"), String(left), JSON.stringify(asked)];
  const { stdout } = await runToEnd(["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", ...words]);
  expect(JSON.parse(stdout)).toEqual({
    kind: "notAsked",
    message:
      "livenessprobe could not ask the driver on /csi.sock: too many open files here: the limit is 256 (EMFILE); raise it (ulimit -n, nofile)",
  });
});

/** In a process of its own, which has used up all of its descriptors but so many. */
const SCRIPT = `
import { closeSync, openSync } from "node:fs";
import { questionDriver } from "${SRC}/inspection/questions";
const held = [];
try {
  for (;;) held.push(openSync("/dev/null"));
} catch {}
for (let left = Number(process.argv[2]); left > 0; left -= 1) closeSync(held.pop());
const answers = await questionDriver({ ...JSON.parse(process.argv[3]), wide: false });
for (const fd of held) closeSync(fd);
console.log(JSON.stringify(answers.outcome));
`;
