import { expect, test } from "bun:test";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { startRecordingDriver } from "./recording-driver";

test("a request is recorded as it was sent", async () => {
  await using driver = await startRecordingDriver();
  const session = connect("http://localhost", { createConnection: () => createConnection(driver.socketPath) });
  const stream = session.request({
    ":method": "POST",
    ":path": "/csi.v1.Identity/Probe",
    ":authority": "somewhere",
    te: "trailers",
    "content-type": "application/grpc",
    "grpc-timeout": "2999m",
    "user-agent": "a test",
  });
  const { promise: trailers, resolve } = Promise.withResolvers<unknown>();
  stream.on("trailers", (fields) => resolve(fields["grpc-status"])).resume();
  stream.end(Buffer.alloc(5));

  expect(await trailers).toBe("0");
  expect(driver.connections).toEqual([
    {
      streams: 1,
      closed: false,
      requests: [
        {
          authority: "somewhere",
          path: "/csi.v1.Identity/Probe",
          te: "trailers",
          contentType: "application/grpc",
          grpcTimeout: "2999m",
          userAgent: "a test",
          headers: expect.objectContaining({ ":method": "POST" }),
          body: Buffer.alloc(5),
        },
      ],
    },
  ]);
  const closed = new Promise<void>((done) => void session.once("close", done));
  session.destroy();
  await closed;
});
