import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { parseKlog, says } from "../support/log-lines";
import { runSidecar, startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";

describe.concurrent("a flag may be written", () => {
  test.each([
    ["with one dash and the next word", ["-csi-address", "/a.sock"], "/a.sock"],
    ["with two dashes and the next word", ["--csi-address", "/a.sock"], "/a.sock"],
    ["with one dash and an equals sign", ["-csi-address=/a.sock"], "/a.sock"],
    ["with two dashes and an equals sign", ["--csi-address=/a.sock"], "/a.sock"],
    ["twice: the last one wins", ["--csi-address=/a.sock", "-csi-address", "/b.sock"], "/b.sock"],
    ["with an equals sign in its value", ["--csi-address=/a=b.sock"], "/a=b.sock"],
    ["as unix: and a path", ["--csi-address=unix:/a.sock"], "unix:/a.sock"],
    ["as unix:// and a path", ["--csi-address=unix:///a.sock"], "unix:///a.sock"],
    ["with its scheme in capitals", ["--csi-address=UNIX:///a.sock"], "UNIX:///a.sock"],
    ["behind a bool without a value", ["-automaxprocs", "-csi-address=/a.sock"], "/a.sock"],
    ["behind a bool with one", ["-automaxprocs=F", "-csi-address=/a.sock"], "/a.sock"],
    ["behind the command", ["--csi-address=/a.sock"], "/a.sock"],
    ["not at all: the default", [], "/run/csi/socket"],
  ])("%s", async (title, flags, csiAddress) => {
    const command = title === "behind the command" ? ["serve"] : [];
    await using sidecar = await startSidecar([...command, "--health-port=0", ...flags]);
    const line = parseKlog(await sidecar.waitForLog(says("Starting livenessprobe")));
    expect(line.values["csiAddress"]).toBe(`"${csiAddress}"`);
  });
});

describe.concurrent("flags that change nothing are accepted", () => {
  test.each([
    [["--automaxprocs"]],
    [["--automaxprocs=true"]],
    [["--log-flush-frequency=1ns"]],
    [["--log-text-split-stream=false"]],
    [["--log-json-split-stream=0"]],
    [["--log-text-info-buffer-size=0"]],
    [["--log-json-info-buffer-size=0Ki"]],
    [["--v=2147483647"]],
    [["--vmodule=a=1,b=2,"]],
    [["--vmodule="]],
    [["--metrics-path=ignored-without-metrics"]],
    [["--http-endpoint=", "--metrics-address="]],
  ])("%j", async (flags) => {
    await using sidecar = await startSidecar(["--health-port=0", ...flags]);
    expect((await sidecar.get("/")).status).toBe(404);
  });
});

test.concurrent("a health port of 9808, the default, is no conflict with an endpoint", async () => {
  await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0", "--health-port=9808"]);
  expect((await sidecar.get("/metrics")).status).toBe(200);
});

describe.concurrent("unlike the Go sidecar, which drops them silently, words after the flags are warned of", () => {
  test.each([
    ["a word and what follows it", ["a", "--v=5"], '"a --v=5"'],
    ["a value that a bool does not take", ["--automaxprocs", "false", "--v=9"], '"false --v=9"'],
    ["what follows two dashes", ["--", "--v=5"], '"--v=5"'],
    ["a dash", ["-"], '"-"'],
    ["a word that would break the line", ["a\nb"], undefined],
  ])("%s", async (_, words, printed) => {
    await using sidecar = await startSidecar(["--health-port=0", ...words]);
    const line = await sidecar.waitForLog(says("Ignoring what follows the flags: no flag begins there"));
    expect(line).toStartWith("W");
    expect(line).toEndWith(`words=${printed ?? "<"}`);
  });
});

test("a port that is in use hides none of this: words after the flags are warned of first", async () => {
  using holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { code, stderr } = await runSidecar([`--http-endpoint=127.0.0.1:${holder.port}`, "csi-address=/csi/csi.sock"]);
  const [warning = "", error = ""] = stderr.split("\n");
  expect({ code, warning: parseKlog(warning).values }).toEqual({
    code: 1,
    warning: { words: '"csi-address=/csi/csi.sock"' },
  });
  expect(error).toContain("the port is in use");
});

test("a port that is in use hides no flag that cannot work", async () => {
  using holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { code, stderr } = await runSidecar([`--http-endpoint=127.0.0.1:${holder.port}`, "--probe-timeout=0"]);
  expect({ code, message: parseKlog(stderr.trimEnd()).message }).toEqual({
    code: 1,
    message: '--probe-timeout must be greater than zero, got \\"0\\"',
  });
});

test.concurrent("a probe may take 3 s where --probe-timeout is not given", async () => {
  using directory = temporaryDirectory();
  await using sidecar = await startSidecar(["--health-port=0", "--csi-address", join(directory.path, "csi.sock")]);
  expect(await (await sidecar.get("/healthz")).text()).toContain(" does not exist (tried for 3s)");
});

test("it listens on port 9808 where no flag says otherwise", async () => {
  // Whoever holds the port, this test or a stranger: the refusal names it.
  const holder = createServer().on("error", () => {});
  const held = new Promise<void>((resolve) => void holder.on("listening", resolve).on("error", () => resolve()));
  holder.listen(9808);
  await held;
  const { code, stderr } = await runSidecar([]);
  holder.close();
  expect(code).toBe(1);
  expect(stderr).toContain('"--health-port cannot listen on \\"9808\\": the port is in use; ');
});
