import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startLineProcess } from "../../scripts/line-process";

const DEMO = join(import.meta.dirname, "../../scripts/demo/demo-monitor.ts");

test.each([
  ["to its end", undefined, 0],
  ["until Ctrl-C", "SIGINT", 130],
  ["until it is told to stop", "SIGTERM", 130],
] as const)("the demo of monitor, run %s, leaves no process and no file", async (_, signal, code) => {
  await using demo = startLineProcess([process.execPath, DEMO], { read: "stdout" });
  const [, kubeletDir = ""] = await demo.waitFor(/--kubelet-dir=(\S+)/);
  const [, page = ""] = await demo.waitFor(/The page.*: (http\S+)/);
  if (signal !== undefined) demo.signal(signal);
  expect(await demo.exited).toBe(code);
  expect(existsSync(kubeletDir)).toBe(false);
  expect(await fetch(page).catch(() => "nobody listens")).toBe("nobody listens");
});
