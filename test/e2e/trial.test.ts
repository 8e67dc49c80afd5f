import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { findProgram } from "../support/prometheus-programs";
import { runToEnd } from "../support/run-to-end";
import { freePort } from "../support/tcp-client";

// Processes start slowly on a busy machine.
setDefaultTimeout(240_000);

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/monitoring.md"), "utf8");
const [section = ""] = /^## From nothing to an alert that fired\n[^]*?(?=^## )/m.exec(PAGE) ?? [];
const blocks = (language: string) =>
  [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, found, text = ""]) =>
    found === language ? [text] : [],
  );
const prometheus = await findProgram("prometheus");

test.if(prometheus !== undefined)("the page leads from nothing to an alert that fired, and to its end", async () => {
  using parent = temporaryDirectory();
  const directory = `${parent.path}/trial`;
  const [monitorPort, prometheusPort] = [await freePort(), await freePort()];
  const here = (text: string) =>
    text
      .replaceAll("/tmp/csi-trial", directory)
      .replaceAll("localhost:9809", `127.0.0.1:${monitorPort}`)
      .replaceAll("localhost:9099", `127.0.0.1:${prometheusPort}`);
  // The tests have built it.
  const script = blocks("sh")
    .join("")
    .replace(/^npx .* run build\n/, "");
  const env = { PATH: `${dirname(prometheus ?? "")}:${process.env["PATH"] ?? ""}` };
  // Whatever fails, its processes end. Where they have ended already, that is no failure.
  const guard = "trap 'kill -9 $prometheus $monitor $driver 2>/dev/null || true' EXIT";
  const words = ["bash", "-euc", `${guard}; prometheus= monitor= driver=\n${here(script)}`];
  const { code, stdout, stderr } = await runToEnd(words, env);
  const [told = ""] = blocks("text");
  expect({ code, stderr, lines: stdout.split("\n").filter((line) => line !== "listening") }).toEqual({
    code: 0,
    stderr: "",
    lines: `ok\n${here(told)}CSI driver is ready again\n`.split("\n"),
  });
  expect(existsSync(directory)).toBe(false);
});
