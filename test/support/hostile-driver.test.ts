import { expect, test } from "bun:test";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { HOSTILE, type HostileName } from "./hostile-behaviours";
import { startHostileDriver } from "./hostile-driver";
import { headerBlock } from "./http2-frames";
import { waitUntil } from "./wait";

test.each([
  ["answers ready (right)", "200 00000000040a020801 grpc-status=0"],
  ["answers without ready (right)", "200 0000000000 grpc-status=0"],
  ["answers not ready by leaving it out (right)", "200 00000000020a00 grpc-status=0"],
  ["answers not ready in writing (right)", "200 00000000040a020800 grpc-status=0"],
  ["answers two messages", "200 00000000040a02080100000000040a020801 grpc-status=0"],
  ["answers grpc-status 0 without a message", "200  grpc-status=0"],
  ["answers a compressed message without grpc-encoding", "200 01000000040a020801 grpc-status=0"],
  ["answers grpc-status 13 after a message", "200 00000000040a020801 grpc-status=13"],
  ["answers grpc-status abc", "200  grpc-status=abc"],
  ["answers HTTP 404 without grpc-status", "404 343034207061676520"],
  ["resets the stream with REFUSED_STREAM", "reset 7"],
  ["resets the stream with INTERNAL_ERROR", "reset 2"],
] as const)("a driver that %s", async (name, answer) => {
  await using driver = await startHostileDriver(name);
  expect(await request(driver.socketPath)).toStartWith(answer);
});

test.each([
  ["answers ready in 65,536 bytes (right)", 65_541],
  ["answers a message of 65,537 bytes", 65_542],
  ["answers a message of 3 MB", 3 * 1024 * 1024 + 5],
] as const)("a driver that %s heeds the flow-control windows", async (name, size) => {
  await using driver = await startHostileDriver(name);
  const [status, hex = "", trailers] = (await request(driver.socketPath)).split(" ");
  expect({ status, bytes: hex.length / 2, trailers }).toEqual({
    status: "200",
    bytes: size,
    trailers: "grpc-status=0",
  });
});

test.each(Object.keys(HOSTILE) as HostileName[])("a client may leave a driver that %s", async (name) => {
  await using driver = await startHostileDriver(name);
  const client = createConnection(driver.socketPath).on("error", () => {});
  await waitUntil(() => driver.connections.total === 1, "the connection");
  client.destroy();
  await waitUntil(() => driver.connections.open === 0, "its end");
  expect(driver.connections).toEqual({ open: 0, total: 1, maxOpen: 1 });
});

test.each(["floods with PINGs", "floods with SETTINGS", "sends garbage without end"] as const)(
  "a driver that %s goes on and leaves this process alive",
  async (name) => {
    await using driver = await startHostileDriver(name);
    let bytes = 0;
    const client = createConnection(driver.socketPath).on("error", () => {});
    client.on("data", (chunk) => (bytes += chunk.length));
    await waitUntil(() => bytes > 4 * 1024 * 1024, "4 MB of it");
    client.destroy();
  },
);

// RFC 7541, section 5.1: a length of 127 or more goes on in bytes of seven bits, the least significant first.
test.each([
  [126, [126]],
  [127, [127, 0]],
  [300, [127, 0xad, 1]],
])("a header value of %d bytes is preceded by its length as %p", (size, length) => {
  expect(headerBlock([["a", "b".repeat(size)]])).toEqual(
    Buffer.concat([Buffer.of(0, 1, 0x61), Buffer.from(length), Buffer.alloc(size, "b")]),
  );
});

/** What a request came to, to a client other than the sidecar's: `status body trailers`, or `reset code`. */
function request(socketPath: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const session = connect("http://localhost", { createConnection: () => createConnection(socketPath) });
  const stream = session.request({ ":method": "POST", ":path": "/csi.v1.Identity/Probe", te: "trailers" });
  const chunks: Buffer[] = [];
  let [status, trailers] = ["", ""];
  stream.on("response", (headers) => {
    status = String(headers[":status"]);
    if (headers["grpc-status"] !== undefined) trailers = `grpc-status=${String(headers["grpc-status"])}`;
  });
  stream.on("trailers", (fields) => (trailers = `grpc-status=${String(fields["grpc-status"])}`));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => {});
  stream.on("close", () => {
    session.destroy();
    const body = Buffer.concat(chunks).toString("hex");
    resolve(stream.rstCode === 0 ? `${status} ${body} ${trailers}` : `reset ${stream.rstCode}`);
  });
  stream.end(Buffer.alloc(5));
  return promise;
}
