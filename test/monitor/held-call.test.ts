import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { callAndHold, createHold, type Hang, type HeldOutcome } from "../../src/monitor/held-call";
import { temporaryDirectory } from "../../scripts/temporary";
import { startControlledDriver } from "../support/controlled-driver";
import { startDriver } from "../support/drivers";
import { startHostileDriver } from "../support/hostile-driver";
import { waitUntil } from "../support/wait";

setDefaultTimeout(60_000);

/** A call that has begun. */
function begin(socketPath: string, timeoutMs = 200) {
  const hold = createHold();
  const hangs: Hang["at"][] = [];
  const outcome = callAndHold({
    socketPath,
    path: "/csi.v1.Identity/Probe",
    timeoutMs,
    hold,
    onHang: ({ at }) => void hangs.push(at),
  });
  return { hold, hangs, outcome };
}

test("a driver that is stopped for a while while we are stopped, too, is not called hung", async () => {
  await using driver = await startDriver("grpc-js", { mode: "slow 100" });
  const { hangs, outcome } = begin(driver.socketPath, 1_500);
  await driver.waitFor(({ event }) => event === "rpc");
  // What a machine that was suspended does to this process, or a CPU limit.
  Bun.sleepSync(3_000);
  expect(close(await outcome)).toMatchObject({ kind: "called", wasHung: false, outcome: { kind: "answered" } });
  expect(hangs).toEqual([]);
});

test("nor is it where we were stopped while it was connected to", async () => {
  await using driver = await startDriver("grpc-js", { mode: "slow 100" });
  const { hangs, outcome } = begin(driver.socketPath, 1_500);
  Bun.sleepSync(3_000);
  expect(close(await outcome)).toMatchObject({ kind: "called", wasHung: false, outcome: { kind: "answered" } });
  expect(hangs).toEqual([]);
});

describe("a driver that does not answer", () => {
  test("is told of once, and what it answers later counts", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "csi.sock");
    await using driver = await startControlledDriver(path, "a.csi");
    driver.mode = "hold";
    const { hangs, outcome } = begin(path);
    await waitUntil(() => hangs.length > 0, "the hang");
    driver.release();
    expect(close(await outcome)).toMatchObject({ kind: "called", wasHung: true, outcome: { kind: "answered" } });
    expect(hangs).toEqual(["call"]);
    expect(driver.connections.total).toBe(1);
  });

  test("loses its connection when it is let go", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "csi.sock");
    await using driver = await startControlledDriver(path, "a.csi");
    driver.mode = "hold";
    const { hangs, hold, outcome } = begin(path);
    await waitUntil(() => hangs.length > 0, "the hang");
    hold.letGo();
    expect(await outcome).toMatchObject({ kind: "ended" });
    await waitUntil(() => driver.connections.open === 0, "the connection's end");
  });

  test("nor speaks HTTP/2, does too", async () => {
    await using driver = await startHostileDriver("accepts and never answers");
    const { hangs, hold, outcome } = begin(driver.socketPath);
    await waitUntil(() => hangs.length > 0, "the hang");
    expect(hangs).toEqual(["connect"]);
    expect(driver.connections).toMatchObject({ open: 1, total: 1 });
    hold.letGo();
    expect(await outcome).toMatchObject({ kind: "ended", wasHung: true });
    await waitUntil(() => driver.connections.open === 0, "the connection's end");
  });

  test("is let go before it is late", async () => {
    await using driver = await startHostileDriver("accepts and never answers");
    const { hangs, hold, outcome } = begin(driver.socketPath, 60_000);
    await waitUntil(() => driver.connections.open === 1, "the connection");
    hold.letGo();
    expect(await outcome).toMatchObject({ kind: "ended", wasHung: false });
    expect(hangs).toEqual([]);
  });
});

test("a socket that is missing is told at once", async () => {
  const { outcome } = begin("/nonexistent/csi.sock");
  expect(await outcome).toMatchObject({ kind: "noConnection", failure: { kind: "refused" }, wasHung: false });
});

function close(outcome: HeldOutcome): HeldOutcome {
  if (outcome.kind === "called") outcome.connection.close();
  return outcome;
}
