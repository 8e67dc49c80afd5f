import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call";
import packageJson from "../../package.json" with { type: "json" };
import { startDriver } from "../support/drivers";
import { startHostileDriver } from "../support/hostile-driver";
import { runSidecar, startSidecar } from "../support/sidecar";

// What src/grpc/call.ts leans on is no public interface of grpc-js. Where an upgrade makes one of these fail, read its
// subchannel-call.js anew before the number here is changed.
const PINNED = "1.14.7";
const ROOT = join(import.meta.dir, "../..");

test("grpc-js is pinned exactly, and it is this version that is installed and locked", () => {
  expect(packageJson.dependencies["@grpc/grpc-js"]).toBe(PINNED);
  expect(JSON.parse(read("node_modules/@grpc/grpc-js/package.json"))).toMatchObject({ version: PINNED });
  expect(read("bun.lock")).toContain(`"@grpc/grpc-js@${PINNED}"`);
});

describe("a call is still made as we make it:", () => {
  test("with five parameters", () => {
    expect(Http2SubchannelCall).toHaveLength(5);
    expect(source()).toContain("constructor(http2Stream, callEventTracker, listener, transport, callId)");
  });

  test.each([
    ["sendMessageWithContext", 2],
    ["halfClose", 0],
    ["startRead", 0],
    ["cancelWithStatus", 2],
    ["onDisconnect", 0],
  ] as const)("with a method %s of %d parameters", (name, parameters) => {
    expect(Http2SubchannelCall.prototype[name]).toBeFunction();
    expect(Http2SubchannelCall.prototype[name]).toHaveLength(parameters);
  });

  test.each([
    ["transport", ["getAuthContext", "getOptions", "getPeerName"]],
    ["callEventTracker", ["addMessageReceived", "addMessageSent", "onCallEnd", "onStreamEnd"]],
    ["listener", ["onReceiveMessage", "onReceiveMetadata", "onReceiveStatus"]],
  ])("and asks nothing of its %s but %p", (parameter, methods) => {
    const uses = source().matchAll(new RegExp(String.raw`\b${parameter}\.(\w+)`, "g"));
    const asked = new Set([...uses].flatMap(([, method]) => method ?? []));
    // A method that it has no use for without TLS may be there: getAuthContext is called by nobody here.
    expect([...asked].filter((method) => !methods.includes(method))).toEqual([]);
    expect(methods.filter((method) => method !== "addMessageReceived" && !asked.has(method))).toEqual([]);
  });
});

test("it brings no more of grpc-js with it than seven small modules", async () => {
  const program = `
    require("@grpc/grpc-js/build/src/subchannel-call");
    const loaded = Object.keys(require.cache).filter((path) => path.includes("node_modules"));
    console.log(JSON.stringify(loaded.map((path) => path.slice(path.lastIndexOf("node_modules/")))));
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { cwd: ROOT, env: {} });
  const loaded: unknown = JSON.parse(await child.stdout.text());
  const modules = ["constants", "error", "logging", "metadata", "stream-decoder", "subchannel-call"];
  expect(loaded).toBeArrayOfSize(modules.length + 1);
  expect(loaded).toEqual(
    expect.arrayContaining([
      ...modules.map((name) => `node_modules/@grpc/grpc-js/build/src/${name}.js`),
      "node_modules/@grpc/grpc-js/package.json",
    ]),
  );
});

describe("nothing is printed for grpc-js's environment", () => {
  const env = {
    GRPC_TRACE: "all",
    GRPC_VERBOSITY: "DEBUG",
    GRPC_NODE_TRACE: "all",
    GRPC_NODE_VERBOSITY: "DEBUG",
    grpc_proxy: "http://127.0.0.1:1",
    http_proxy: "http://127.0.0.1:1",
  };

  test("by a sidecar that probes", async () => {
    await using driver = await startDriver("grpc-js");
    const args = ["--csi-address", driver.socketPath, "--http-endpoint", "127.0.0.1:0"];
    await using sidecar = await startSidecar(args, { env });
    const response = await sidecar.get("/healthz");
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
    await sidecar.waitForLog((line) => line.includes("CSI driver is ready"));
    expect(sidecar.logLines.filter((line) => !/^I\d{4} /.test(line))).toEqual([]);
    expect(sidecar.logLines.join("\n")).not.toMatch(/subchannel_call|DEBUG/);
  });

  test("by a sidecar whose driver sends headers that grpc-js complains about", async () => {
    await using driver = await startHostileDriver("answers a grpc-message of UTF-8 as it is");
    const args = ["--csi-address", driver.socketPath, "--http-endpoint", "127.0.0.1:0"];
    await using sidecar = await startSidecar(args, { env });
    const response = await sidecar.get("/healthz");
    expect([response.status, await response.text()]).toEqual([500, "rpc error: code = Internal desc = café, 磁盘"]);
    await sidecar.waitForLog((line) => line.includes("CSI driver failed its probe"));
    expect(sidecar.logLines.filter((line) => !/^[IE]\d{4} /.test(line))).toEqual([]);
  });

  test("by a sidecar that only tells its version", async () => {
    const { code, stderr } = await runSidecar(["--version"], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

function source(): string {
  return read("node_modules/@grpc/grpc-js/build/src/subchannel-call.js");
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}
