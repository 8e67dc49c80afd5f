import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { kubeletNode, PLUGINS, placeIn, startIn } from "../support/listed-node";
import type { MadeNode } from "../support/made-node";
import { schemaFaults } from "../support/output-schema";
import { runSidecar } from "../support/sidecar";
import { startDriver } from "../support/drivers";

interface Report {
  readonly redacts: boolean;
  readonly redactions: readonly { readonly where: string; readonly kind: string; readonly count: number }[];
  readonly drivers: { readonly items: readonly { readonly socket: string; readonly state: string }[] };
  readonly inspections: readonly { readonly socket: string; readonly state: string; readonly verdict: string }[];
  readonly incidents: readonly { readonly id: string; readonly driver?: string }[];
  readonly notes: readonly string[];
}

/** Each in a place of its own, none of which may be in a report. */
const SECRETS = ["hunter2a", "hunter2b", "hunter2c", "hunter2d", "hunter2e", "alice"];
const MESSAGE = "login failed: password=hunter2a, url https://alice:hunter2b@a.example, Authorization: Bearer hunter2c";
const VENDOR_VERSION = "1.0 token=hunter2d";

test("a report has the list, each inspection and what is known of the node", async () => {
  await using node = kubeletNode();
  await using _ = await startIn(node, "grpc-js", "a.csi");
  node.staleSocket(`${PLUGINS}/b.csi/csi.sock`);
  const { code, stderr, report } = await reportOf(node);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(report).toMatchObject({
    redacts: true,
    redactions: [],
    versions: { livenessprobe: { version: expect.any(String) }, kernel: expect.stringMatching(/^\d/) },
    drivers: {
      items: [
        { driver: "b.csi", state: "failed" },
        { driver: "a.csi", state: "ready" },
      ],
    },
    inspections: [
      { socket: `${PLUGINS}/b.csi/csi.sock`, verdict: "failed: nobody_listens at connect" },
      { socket: `${PLUGINS}/a.csi/csi.sock`, verdict: "ready" },
    ],
    incidents: [],
    notes: expect.arrayContaining(["no incidents of a monitor at localhost:1: nobody listens there"]),
  });
});

test("no secret that a driver tells is in a report, and the report lists what was cut", async () => {
  await using node = kubeletNode();
  await using _ = await startDriver("grpc-js", {
    name: "a.csi",
    vendorVersion: VENDOR_VERSION,
    socketPath: placeIn(node, "a.csi"),
    mode: `status 16 ${MESSAGE}`,
  });
  const { code, stdout, report } = await reportOf(node);
  expect(code).toBe(0);
  expect(SECRETS.filter((secret) => stdout.includes(secret))).toEqual([]);
  expect(stdout).toContain("login failed: password=[redacted]");
  expect(report.redactions).toContainEqual({ where: "drivers.items[0].vendorVersion", kind: "named secret", count: 1 });
  expect(report.redactions).toContainEqual({ where: "drivers.items[0].message", kind: "URL credentials", count: 1 });
});

test("--redact=off shows them, and says so first", async () => {
  await using node = kubeletNode();
  await using _ = await startDriver("grpc-js", {
    vendorVersion: VENDOR_VERSION,
    socketPath: placeIn(node, "a.csi"),
  });
  const { stderr, report, stdout } = await reportOf(node, ["--redact=off"]);
  expect(stderr).toStartWith("warning: with --redact=off the report has all mount options");
  expect(report.redacts).toBe(false);
  expect(stdout).toContain("hunter2d");
});

test("a hung driver does not keep it from ending", async () => {
  await using node = kubeletNode();
  await using driver = await startIn(node, "grpc-js", "a.csi");
  await driver.pause();
  const { code, report } = await reportOf(node, ["--probe-timeout=300ms"]);
  expect(code).toBe(0);
  expect(report.inspections).toMatchObject([{ state: "failed", reason: "hung" }]);
});

test("-o FILE is written for its owner alone, and standard error says in a line what is in it", async () => {
  await using node = kubeletNode();
  using place = temporaryDirectory();
  await using _ = await startDriver("grpc-js", { vendorVersion: VENDOR_VERSION, socketPath: placeIn(node, "a.csi") });
  const path = join(place.path, "report.json");
  const ran = await runSidecar(["report", "--root", node.rootDir, "--monitor=none", "-o", path]);
  expect(ran).toMatchObject({
    code: 0,
    stdout: "",
    stderr: `wrote ${path}: 1 driver; redacted: 2 of the kind named secret\n`,
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(schemaFaults(JSON.parse(readFileSync(path, "utf8")))).toEqual([]);
  expect(readdirSync(place.path)).toEqual(["report.json"]);
});

async function reportOf(node: MadeNode, flags: readonly string[] = []) {
  const { stdout, ...ended } = await runSidecar(["report", "--root", node.rootDir, "--monitor=localhost:1", ...flags]);
  const report: Report = JSON.parse(stdout);
  expect(schemaFaults(report)).toEqual([]);
  return { ...ended, stdout, report };
}
