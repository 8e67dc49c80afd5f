import { endpointPort } from "./endpoint";

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");

Bun.listen({
  hostname: "127.0.0.1",
  port: endpointPort(),
  socket: { data: (socket) => void socket.end(ANSWER) },
});
