import { createConnection } from "node:net";
import * as fc from "fast-check";
import { startDriver } from "../../test/support/drivers";
import { startSidecar, type Sidecar } from "../../test/support/sidecar";
import { waitUntil } from "../../test/support/wait";
import { AGREES, createTarget, type Judge, type Verdict } from "../target";

/** One of the right words, seldom one of the wrong ones. */
const mostly = (right: readonly string[], wrong: readonly string[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

const method = mostly(
  ["GET", "GET", "HEAD", "POST", "OPTIONS", "PUT"],
  ["CONNECT", "TRACE", "get", "PRI", "", "G\u0000T"],
);
const path = mostly(
  ["/healthz", "/metrics", "/livez", "/readyz", "/", "/healthz?x=1", "//healthz", "/a/../healthz", "/%68ealthz"],
  ["*", "http://x/healthz", "", "healthz", "/%", "/\u00ff", `/${"a".repeat(9_000)}`],
);
const version = mostly(["HTTP/1.1"], ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.", "", "http/1.1"]);
const host = mostly(["Host: localhost"], ["Host:", "Host: a\r\nHost: b", "X: y"]);
const header = mostly(
  ["Connection: close", "Connection: keep-alive", "Accept-Encoding: gzip", "Range: bytes=0-1", "Expect: 100-continue"],
  [
    "Connection: Upgrade\r\nUpgrade: h2c",
    "Upgrade: websocket\r\nSec-WebSocket-Key: eA==",
    "Content-Length: -1",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked, chunked",
    " folded",
    ": x",
    "x",
    "A: \u0000",
    `B: ${"b".repeat(20_000)}`,
  ],
);
/** What announces a body, and the body. */
const content = fc.oneof(
  { weight: 6, arbitrary: fc.constant(["", ""]) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ["Content-Length: 5", "hello"],
      ["Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom("", "Content-Length: 5", "Content-Length: 70000", "Transfer-Encoding: chunked"),
      fc.constantFrom("", "hell", "hello world", "ffffffffffffffff\r\n", "5;x\r\nhello\r\n", "-1\r\n", "\u0000"),
    ),
  },
);
const lineEnd = mostly(["\r\n"], ["\n", "\r"]);

const wellFormed = fc
  .tuple(method, path, version, host, fc.array(header, { maxLength: 3 }), content, lineEnd)
  .map(([verb, target, protocol, name, headers, [announcement = "", bytes = ""], end]) => {
    const head = [`${verb} ${target} ${protocol}`, name, ...headers, ...(announcement === "" ? [] : [announcement])];
    return Buffer.from([...head, "", bytes].join(end), "latin1");
  });
const broken = fc
  .tuple(wellFormed, fc.nat(10_000), fc.nat(3), fc.uint8Array({ maxLength: 3 }))
  .map(([bytes, at, length, piece]) => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(start + length)]);
  });

interface Sent {
  /** One connection sends them all. */
  readonly requests: readonly Buffer[];
  /** When the client ends the connection: once it is answered, or hears nothing for a while; at once; at once and rudely. */
  readonly end: "answered" | "finish" | "reset";
}

const inputs: fc.Arbitrary<Sent> = fc.record({
  requests: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: wellFormed },
      { weight: 3, arbitrary: broken },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    ),
    { minLength: 1, maxLength: 3 },
  ),
  end: fc.constantFrom("answered", "answered", "answered", "finish", "reset"),
});

const PATIENCE_MS = 500;

/** More than the heap swings between two collections. */
const MEMORY_SLACK_KIB = 48 * 1_024;

export const httpRequests = createTarget({
  name: "http-requests",
  against:
    "what the executable promises: it stays, answers the kubelet, never blames the driver, and keeps no descriptor",
  weight: 3,
  inputs,
  batchSize: 400,
  open,
});

async function open(): Promise<Judge<Sent>> {
  await using stack = new AsyncDisposableStack();
  const driver = stack.use(await startDriver("grpc-js"));
  const sidecar = stack.use(
    await startSidecar(["--http-endpoint=127.0.0.1:0", `--csi-address=${driver.socketPath}`, "--probe-timeout=30s"], {
      stderr: "ignore",
    }),
  );
  let rest: AtRest | undefined;
  const resources = stack.move();
  return {
    judge: async (all) => {
      rest ??= await settle(sidecar);
      const verdicts = await Promise.all(all.map((sent) => verdictOn(sidecar.url, sent)));
      const wrong = await lookAfter(sidecar, rest);
      return wrong === undefined ? verdicts : verdicts.map(() => ({ kind: "finding", text: wrong }));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface AtRest {
  readonly fds: number;
  readonly kib: number;
}

/** After enough requests that what is opened and loaded once is there. */
async function settle(sidecar: Sidecar): Promise<AtRest> {
  for (let count = 0; count < 200; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- as the kubelet asks
    await (await sidecar.get(count % 2 === 0 ? "/healthz" : "/metrics")).text();
  }
  const fds = await waitUntil(async () => {
    const before = sidecar.fds();
    await Bun.sleep(50);
    return sidecar.fds() === before && before;
  }, "descriptors to settle");
  return { fds, kib: sidecar.anonymousKib() };
}

async function lookAfter(sidecar: Sidecar, { fds, kib }: AtRest): Promise<string | undefined> {
  try {
    const response = await sidecar.get("/healthz", { signal: AbortSignal.timeout(60_000) });
    const body = await response.text();
    if (response.status !== 200 || body !== "ok") return `the kubelet is answered ${response.status} ${body}`;
    await waitUntil(
      () => sidecar.fds() <= fds,
      () => `${fds} descriptors, not ${sidecar.fds()}`,
    );
    const grownKib = sidecar.anonymousKib() - kib;
    return grownKib > MEMORY_SLACK_KIB ? `it has grown by ${grownKib} KiB` : undefined;
  } catch (error) {
    return `the sidecar does not go on: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function verdictOn(url: string, { requests, end }: Sent): Promise<Verdict> {
  const answer = await send(url, requests, end);
  const statusLine = /^[^\r\n]*/.exec(answer)?.[0] ?? "";
  if (answer !== "" && !/^HTTP\/1\.1 (?:[1-4]\d\d|50[15]) /.test(statusLine))
    return { kind: "finding", text: `it answers ${statusLine}` };
  return AGREES;
}

/** What came until the connection was closed, which the sidecar does when it hears no more. */
function send(url: string, requests: readonly Buffer[], end: Sent["end"]): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  const socket = createConnection({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (end === "answered" && !chunk.includes("100 Continue")) socket.end();
  });
  socket.on("end", () => socket.destroy());
  // A server may hang up on such a client.
  socket.on("error", () => {});
  socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  socket.on("connect", () => {
    for (const request of requests) socket.write(request);
    // A request that is not whole is not answered.
    if (end === "answered") socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    else if (end === "finish") socket.end();
    else setImmediate(() => socket.resetAndDestroy());
  });
  return promise;
}
