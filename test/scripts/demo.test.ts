import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startLineProcess } from "../../scripts/line-process";

const DEMO = join(import.meta.dirname, "../../scripts/demo/demo-monitor.ts");

test.each([
  ["to its end", [], /The page/, undefined, 0],
  ["with --hold until Ctrl-C", ["--hold"], /list --kubelet-dir/, "SIGINT", 130],
  ["until it is told to stop", [], /The page/, "SIGTERM", 130],
] as const)("the demo of monitor, run %s, leaves no process and no file", async (_, flags, last, signal, code) => {
  await using demo = startLineProcess([process.execPath, DEMO, ...flags], { read: "stdout" });
  const [, kubeletDir = ""] = await demo.waitFor(/--kubelet-dir=(\S+)/);
  const [, page = ""] = await demo.waitFor(/The page.*: (http\S+)/);
  await demo.waitFor(last);
  expect((await fetch(page)).status).toBe(200);
  if (signal !== undefined) demo.signal(signal);
  expect(await demo.exited).toBe(code);
  expect(existsSync(kubeletDir)).toBe(false);
  expect(await fetch(page).catch(() => "nobody listens")).toBe("nobody listens");
});
