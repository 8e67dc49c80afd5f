import { expect, test } from "bun:test";
import { keepConnection } from "../../bench/kept";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const FAILED = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\nX-Other: 1\r\n\r\ngone";
const IN_PIECES = ["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 2\r\n\r", "\no", "k"];

test("a kept connection reads one answer after another, also one that comes in pieces", async () => {
  using server = serve([[OK], [FAILED], IN_PIECES]);
  using connection = await keepConnection(server.port);
  const statuses = [await connection.ask(), await connection.ask(), await connection.ask()].map(({ status }) => status);
  expect(statuses).toEqual([200, 500, 200]);
});

test("a kept connection that the server closes is an error", async () => {
  using server = serve([]);
  using connection = await keepConnection(server.port);
  expect(connection.ask()).rejects.toThrow("closed without an answer");
});

/** Answers each request of its one connection with the pieces that are next, and closes it when there are none. */
function serve(answers: readonly (readonly string[])[]) {
  const left = [...answers];
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: async (socket) => {
        const pieces = left.shift();
        if (pieces === undefined) return void socket.end();
        for (const piece of pieces) {
          socket.write(piece);
          // oxlint-disable-next-line no-await-in-loop -- else the pieces would arrive as one
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    },
  });
  return { port: server.port, [Symbol.dispose]: () => server.stop(true) };
}
