import { describe, expect, test } from "bun:test";
import { startDriver } from "../support/drivers";
import { parseKlog, says } from "../support/log-lines";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { startSidecar } from "../support/sidecar";

/** To the letter, for what reads these lines may be less patient than a JSON parser. */
const JSON_HEAD = /^\{"ts":(\d{13}(?:\.\d{1,6})?),"caller":"[a-z-]+\.ts:\d+","msg":"[^"]+"(?:,"v":(\d+))?/;

test("JSON is one object a line: the time in milliseconds, v on info lines alone, err last where there is an error", async () => {
  const before = Date.now();
  await using driver = await startDriver("grpc-js", { mode: "status 13 a <b> & c" });
  await using sidecar = await startSidecar([
    "--health-port=0",
    "--logging-format=json",
    "--v=5",
    "--csi-address",
    driver.socketPath,
  ]);
  await sidecar.waitForLog(says("CSI driver name"));
  await sidecar.get("/healthz");
  await driver.send("mode ready");
  await sidecar.get("/healthz");
  await sidecar.waitForLog(says("CSI driver is ready again"));

  for (const line of sidecar.logLines) {
    const [head, ts] = JSON_HEAD.exec(line) ?? [];
    expect(head).toBeString();
    expect(Number(ts)).toBeWithin(before - 1_000, Date.now() + 1_000);
  }
  const lines: Readonly<Record<string, unknown>>[] = sidecar.logLines.map((line) => JSON.parse(line));
  expect(lines.map(({ msg, v }) => [msg, v])).toEqual([
    ["Starting livenessprobe", 0],
    ["Listening", 0],
    ["Asking CSI driver for its name", 0],
    ["CSI driver name", 0],
    ["Probed the CSI driver", 5],
    ["CSI driver failed its probe", undefined],
    ["Probed the CSI driver", 5],
    ["CSI driver is ready again", 0],
  ]);
  expect(
    lines.map((line) =>
      Object.keys(line)
        .slice(line["v"] === undefined ? 3 : 4)
        .join(" "),
    ),
  ).toEqual([
    "version commit csiAddress",
    "flag address",
    "address",
    "driver vendorVersion",
    "driver result message elapsed",
    "driver reason err",
    "driver result elapsed",
    "driver failedFor failedProbes",
  ]);
  expect(lines[5]?.["err"]).toBe("rpc error: code = Internal desc = a <b> & c");
  expect(sidecar.logLines[5]).toContain("a <b> & c");
  expect(lines[7]?.["failedProbes"]).toBe(1);
});

describe.concurrent.each(["text", "json"])("a driver's text in %s", (format) => {
  test.each<[string, HostileName, RegExp]>([
    ["steers no terminal", "answers a grpc-message with ANSI escapes", /desc = \\\\x1b\[31mred\\\\x1b\[0m/],
    [
      "makes no line of its own",
      "answers a grpc-message with percent-encoded newlines",
      /desc = one\\\\ntwo\\\\r\\\\nthree"/,
    ],
    ["turns no line round", "answers a grpc-message with direction overrides", /desc = \\\\u202edrawkcab"/],
    ["is cut at 1 KiB", "answers a grpc-message of 8 KB", /desc = m{1021}…"/],
    ["may be no text at all", "answers a grpc-message that is not UTF-8", /desc = [^"]*"/],
  ])("%s", async (_, hostile, told) => {
    await using driver = await startHostileDriver(hostile);
    await using sidecar = await startSidecar([
      "--health-port=0",
      `--logging-format=${format}`,
      "--csi-address",
      driver.socketPath,
    ]);
    await sidecar.get("/healthz");
    const line = await sidecar.waitForLog(says("CSI driver failed its probe"));
    expect(line).toMatch(told);
    // What \p{C} leaves out is what can be seen.
    expect(sidecar.logLines.filter((one) => /\p{C}/u.test(one))).toEqual([]);
    const parse = format === "json" ? JSON.parse : parseKlog;
    for (const one of sidecar.logLines) parse(one);
  });
});

test.concurrent("a driver's name steers nothing either, and is cut", async () => {
  await using driver = await startDriver("grpc-js", { name: `a\n\u001b[31m${"n".repeat(1_000)}` });
  await using sidecar = await startSidecar(["--health-port=0", "--csi-address", driver.socketPath]);
  const line = parseKlog(await sidecar.waitForLog(says("CSI driver name")));
  expect(line.values["driver"]).toMatch(/^"a\\\\n\\\\x1b\[31mn+…"$/);
  expect(line.values["driver"]?.length).toBeLessThan(270);
});
