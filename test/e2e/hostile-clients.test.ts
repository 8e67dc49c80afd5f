import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startDriver, type RunningDriver } from "../support/drivers";
import { behindShell } from "../support/executable";
import { startHostileDriver } from "../support/hostile-driver";
import { startSidecar, type Sidecar } from "../support/sidecar";
import { bodyOf, connectMany, connectTcp, statusOf, type TcpClient, type TcpClients } from "../support/tcp-client";
import { waitUntil } from "../support/wait";

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
/** What the kubelet is given by default (`timeoutSeconds: 1`). */
const KUBELET_BOUND_MS = 1_000;

// In a process of its own: this one is busy with its attacks.
let driver: RunningDriver;

beforeAll(async () => {
  driver = await startDriver("grpc-js");
});
afterAll(() => driver[Symbol.asyncDispose]());

function serveArgs(socketPath = driver.socketPath, probeTimeout = "5s"): readonly string[] {
  return ["--http-endpoint=127.0.0.1:0", `--csi-address=${socketPath}`, `--probe-timeout=${probeTimeout}`];
}

async function expectKubeletServed(sidecar: Sidecar): Promise<void> {
  for (let count = 0; count < 5; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the kubelet asks again and again
    const response = await sidecar.get("/healthz", { signal: AbortSignal.timeout(KUBELET_BOUND_MS) });
    // oxlint-disable-next-line no-await-in-loop
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
  }
}

/**
 * While idle clients hold all descriptors the kubelet waits; it asks again, and is answered when Bun has closed them.
 */
async function expectKubeletServedSoon(sidecar: Sidecar): Promise<void> {
  const ask = async () => (await sidecar.get("/healthz", { signal: AbortSignal.timeout(KUBELET_BOUND_MS) })).status;
  const isServed = () =>
    ask().then(
      (status) => status === 200,
      () => false,
    );
  expect(await waitUntil(isServed, "an answer to the kubelet")).toBe(true);
}

/** Descriptors in use after a first request, when what is opened once is open. */
async function fdsAtRest(sidecar: Sidecar): Promise<number> {
  await expectKubeletServed(sidecar);
  return waitUntil(async () => {
    const before = sidecar.fds();
    await Bun.sleep(50);
    return sidecar.fds() === before && before;
  }, "descriptors to settle");
}

async function expectFdsBack(sidecar: Sidecar, atRest: number): Promise<void> {
  await waitUntil(
    () => sidecar.fds() <= atRest,
    () => `${atRest} descriptors, not ${sidecar.fds()}`,
  );
}

/** Sends more, again and again, until the clients are disposed of. */
function dripping(clients: TcpClients, bytes: string, everyMs: number): TcpClients {
  const timer = setInterval(() => {
    for (const { socket } of clients.clients) if (socket.writable) socket.write(bytes, () => {});
  }, everyMs);
  return {
    clients: clients.clients,
    [Symbol.dispose]: () => {
      clearInterval(timer);
      clients[Symbol.dispose]();
    },
  };
}

async function neverReading(url: string): Promise<TcpClients> {
  const clients = await connectMany(url, 100);
  for (const { socket } of clients.clients) {
    socket.pause();
    socket.write(REQUEST.replace("/healthz", "/metrics"));
  }
  return clients;
}

const CLOSE = "Connection: close\r\n\r\n";
const START = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
const POST = "POST /healthz HTTP/1.1\r\nHost: x\r\n";

const ATTACKS: readonly (readonly [string, (url: string) => Promise<TcpClients>])[] = [
  ["headers that come a byte now and then", async (url) => dripping(await connectMany(url, 100, START), "a", 20)],
  ["headers that never come", (url) => connectMany(url, 200)],
  ["headers that stop", (url) => connectMany(url, 200, START)],
  ["10 MB of headers", (url) => connectMany(url, 10, START + `A: ${"b".repeat(1_000)}\r\n`.repeat(10_000))],
  [
    "a body of 10 GB that never ends",
    async (url) =>
      dripping(await connectMany(url, 50, `${POST}Content-Length: 10737418240\r\n\r\n`), "a".repeat(10_000), 10),
  ],
  [
    "a chunked body that trickles",
    async (url) => dripping(await connectMany(url, 50, `${POST}Transfer-Encoding: chunked\r\n\r\n`), "1\r\na\r\n", 20),
  ],
  ["clients that never read their answers", neverReading],
  [
    "clients that want to be kept alive",
    (url) => connectMany(url, 500, REQUEST.replace("Host", "Connection: keep-alive\r\nHost")),
  ],
  ["a flood of garbage", (url) => connectMany(url, 200, Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251)))],
];

describe.concurrent("the kubelet is answered within its second, and nothing is left behind, in the face of", () => {
  test.each(ATTACKS)("%s", async (_, attack) => {
    await using sidecar = await startSidecar(serveArgs());
    const atRest = await fdsAtRest(sidecar);
    {
      using clients = await attack(sidecar.url);
      expect(clients.clients).not.toEqual([]);
      await expectKubeletServed(sidecar);
    }
    await expectFdsBack(sidecar, atRest);
    await expectKubeletServed(sidecar);
  });
});

describe("thousands of connections", () => {
  test.each([
    ["5,000 idle ones", 5_000, ":", ""],
    ["1,200 idle ones with 1,024 descriptors in all, when Bun has closed the first", 1_200, "ulimit -n 1024", ""],
    ["1,200 that are kept alive with 1,024 descriptors in all, likewise", 1_200, "ulimit -n 1024", REQUEST],
  ])("do not keep the kubelet out: %s", async (_, count, limits, bytes) => {
    await using sidecar = await startSidecar(...behindShell(limits, serveArgs()));
    const atRest = await fdsAtRest(sidecar);
    {
      using clients = await connectMany(sidecar.url, count, bytes);
      expect(clients.clients).toHaveLength(count);
      await expectKubeletServedSoon(sidecar);
    }
    await expectFdsBack(sidecar, atRest);
    await expectKubeletServedSoon(sidecar);
  });

  test("nobody is reset for being new: with 1,024 callers waiting for a slow driver, the next ones are answered", async () => {
    await using slow = await startDriver("grpc-js", { mode: "slow 3000" });
    await using sidecar = await startSidecar(serveArgs(slow.socketPath, "10s"));
    using crowd = await connectMany(sidecar.url, 1_024, START + CLOSE);
    const newest = await Promise.all(Array.from({ length: 18 }, () => connectTcp(sidecar.url, START + CLOSE)));
    using _ = { [Symbol.dispose]: () => newest.forEach((client) => client[Symbol.dispose]()) };
    const answers = await Promise.all([...crowd.clients, ...newest].map((client) => client.answer()));
    expect(answers.map(statusOf)).toEqual(answers.map(() => 200));
    expect(answers).toHaveLength(1_042);
  });

  test("500 requests at once are all answered", async () => {
    await using sidecar = await startSidecar(serveArgs());
    const responses = await Promise.all(Array.from({ length: 500 }, () => sidecar.get("/healthz")));
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
  });
});

describe("one client", () => {
  let sidecar: Sidecar;
  beforeAll(async () => {
    sidecar = await startSidecar(serveArgs());
  });
  afterAll(() => sidecar[Symbol.asyncDispose]());

  test.each([
    ["GET", START + CLOSE, 200, "ok"],
    ["HEAD, without the body", START.replace("GET", "HEAD") + CLOSE, 200, ""],
    ["POST with a body", `${POST}Content-Length: 5\r\n${CLOSE}hello`, 200, "ok"],
    ["a body of 100 kB, which Go takes", `${POST}Content-Length: 100000\r\n${CLOSE}`, 413, ""],
    ["HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200, "ok"],
    ["a URL, as to a proxy", `GET http://x/healthz HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 200, "ok"],
    ["an upgrade to another protocol", `${START}Upgrade: websocket\r\n${CLOSE}`, 200, "ok"],
    ["7 KB of headers", `${START}A: ${"b".repeat(7_000)}\r\n${CLOSE}`, 200, "ok"],
    ["70 KB of headers, which Go takes", `${START}A: ${"b".repeat(70_000)}\r\n${CLOSE}`, 431, ""],
    ["no Host", `GET /healthz HTTP/1.1\r\n${CLOSE}`, 400, ""],
    ["CONNECT", `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404, "404 page not found\n"],
    ["garbage", "\u00de\u00ad\u00be\u00ef", 400, ""],
    ["NUL bytes", "\0\0\0\0", 400, ""],
    ["a NUL in a header", `${START}A: \0\r\n${CLOSE}`, 400, ""],
    ["a TLS ClientHello", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003", 400, ""],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, ""],
  ])("sends %s", async (_, bytes, status, body) => {
    using client = await connectTcp(sidecar.url, Buffer.from(bytes, "latin1"));
    const answer = await client.answer();
    expect([statusOf(answer), bodyOf(answer)]).toEqual([status, body]);
  });

  test.each([
    ["pipelines its requests", (client: TcpClient) => client.socket.write(REQUEST + START + CLOSE)],
    ["closes its sending side behind its request", (client: TcpClient) => client.socket.end(START + CLOSE)],
  ])("that %s while the driver is asked is closed without an answer", async (_, send) => {
    using client = await connectTcp(sidecar.url);
    send(client);
    expect(await client.answer()).toBe("");
    expect((await sidecar.get("/healthz")).status).toBe(200);
  });

  test("that goes away while the driver is asked does not end the probe, where Go cancels it: its result counts", async () => {
    await using hung = await startHostileDriver("accepts and never answers");
    await using place = await startSidecar(serveArgs(hung.socketPath, "400ms"));
    const nameAsked = 1;
    await waitUntil(() => hung.connections.total === nameAsked, "the driver's name to be asked for");
    {
      using client = await connectTcp(place.url, REQUEST);
      await waitUntil(() => hung.connections.total === nameAsked + 1, "the probe");
      client.socket.resetAndDestroy();
    }
    const counted = /^csi_livenessprobe_probes_total\{.*result="hung"\} 1$/m;
    const scrape = async () => counted.test(await (await place.get("/metrics")).text());
    expect(await waitUntil(scrape, "the result to count")).toBe(true);
  });
});
