import { describe, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { startDriver } from "../support/drivers";
import { startHostileDriver } from "../support/hostile-driver";
import { parseKlog, says } from "../support/log-lines";
import { findUnshare, startAsProcessOne } from "../support/process-one";
import { type Sidecar, type SidecarExit, startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

/** Well before the 2 s that a hung driver is waited for. */
const AT_ONCE_MS = 1_900;
const NOWHERE = "--csi-address=/nowhere/csi.sock";

const unshare = findUnshare();

/** How the sidecar is started; the Go sidecar is killed by a signal, and as process 1 exits with code 2. */
const WAYS = [
  { who: "a process like any other", start: (args: readonly string[]) => startSidecar(args) },
  ...(unshare === undefined
    ? []
    : [{ who: "process 1", start: (args: readonly string[]) => startAsProcessOne(unshare, args) }]),
];

const SIGNALS = [
  { signal: "SIGTERM", code: 143 },
  { signal: "SIGINT", code: 130 },
] as const;

describe.each(WAYS)("unlike the Go sidecar, as $who", ({ start }) => {
  describe.concurrent.each(SIGNALS)("on $signal", ({ signal, code }) => {
    test("it ends at once with exit code 0 where there is nothing to wait for", async () => {
      await using sidecar = await start(["--health-port=0", NOWHERE]);
      const stopped = await stop(sidecar, signal);
      expect(stopped).toEqual({ code: 0, signal: null, elapsedMs: expect.any(Number) });
      expect(stopped.elapsedMs).toBeLessThan(AT_ONCE_MS);
      expect(sidecar.logLines.filter(says("Stopping"))).toHaveLength(1);
    });

    test("it lets the probe in flight end, and answers its client", async () => {
      await using driver = await startDriver("grpc-js", { mode: "slow 500" });
      await using sidecar = await start(["--health-port=0", "--csi-address", driver.socketPath]);
      const answer = sidecar.get("/healthz");
      await driver.waitFor((event) => event.event === "rpc" && event.method.endsWith("/Probe"));
      const stopped = await stop(sidecar, signal);
      expect(await (await answer).text()).toBe("ok");
      expect(stopped.code).toBe(0);
      expect(stopped.elapsedMs).toBeLessThan(AT_ONCE_MS);
    });

    test("it waits 2 s at most where the driver hangs, and takes no new connection meanwhile", async () => {
      await using driver = await startHostileDriver("takes the request and never answers");
      await using sidecar = await start(["--health-port=0", "--probe-timeout=30s", "--csi-address", driver.socketPath]);
      const answer = statusOf(sidecar);
      await waitUntil(() => driver.connections.total === 2, "the probe beside the question for the name");
      const stopping = stop(sidecar, signal);
      await sidecar.waitForLog(says("Stopping"));
      await waitUntil(() => isRefused(sidecar.url), "a new connection to be refused");
      const stopped = await stopping;
      expect({ code: stopped.code, answer: await answer }).toEqual({ code: 0, answer: "no answer" });
      expect(stopped.elapsedMs).toBeWithin(AT_ONCE_MS, 3_900);
    });

    test("a second signal ends it at once", async () => {
      await using driver = await startHostileDriver("takes the request and never answers");
      await using sidecar = await start(["--health-port=0", "--probe-timeout=30s", "--csi-address", driver.socketPath]);
      const answer = statusOf(sidecar);
      await waitUntil(() => driver.connections.total === 2, "the probe beside the question for the name");
      sidecar.signal(signal);
      await sidecar.waitForLog(says("Stopping"));
      const stopped = await stop(sidecar, signal);
      expect({ code: stopped.code, answer: await answer }).toEqual({ code, answer: "no answer" });
      expect(stopped.elapsedMs).toBeLessThan(AT_ONCE_MS);
    });
  });
});

test.concurrent("a second signal ends it at once, also where it is another than the first", async () => {
  await using driver = await startHostileDriver("takes the request and never answers");
  await using sidecar = await startSidecar([
    "--health-port=0",
    "--probe-timeout=30s",
    `--csi-address=${driver.socketPath}`,
  ]);
  const answer = statusOf(sidecar);
  await waitUntil(() => driver.connections.total === 2, "the probe beside the question for the name");
  sidecar.signal("SIGTERM");
  await sidecar.waitForLog(says("Stopping"));
  const stopped = await stop(sidecar, "SIGINT");
  expect({ code: stopped.code, answer: await answer }).toEqual({ code: 130, answer: "no answer" });
});

test.concurrent.if(unshare !== undefined)("process 1 says so in the process id's column", async () => {
  await using sidecar = await startAsProcessOne(unshare ?? ["unshare"], ["--health-port=0", NOWHERE]);
  expect(sidecar.logLines.map((line) => parseKlog(line).pid)).toContain("      1");
});

test.concurrent.if(unshare !== undefined)("unlike the Go sidecar, process 1 is not ended by SIGHUP", async () => {
  await using sidecar = await startAsProcessOne(unshare ?? ["unshare"], ["--health-port=0", NOWHERE]);
  sidecar.signal("SIGHUP");
  expect((await sidecar.get("/")).status).toBe(404);
});

/** Sends a signal; how the sidecar ended, and how long after. */
async function stop(sidecar: Sidecar, signal: NodeJS.Signals) {
  const start = performance.now();
  let ended: (SidecarExit & { readonly elapsedMs: number }) | undefined;
  void sidecar.exited.then((exit) => (ended = { ...exit, elapsedMs: performance.now() - start }));
  sidecar.signal(signal);
  return waitUntil(() => ended, `its end on ${signal}`);
}

function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection(Number(port), hostname);
  socket.on("error", () => resolve(true));
  socket.on("connect", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function statusOf(sidecar: Sidecar): Promise<number | "no answer"> {
  try {
    return (await sidecar.get("/healthz")).status;
  } catch {
    return "no answer";
  }
}
