import { textResponse } from "../../src/http/response";
import { startHttpServer } from "../../src/http/server";
import { endpointPort } from "./endpoint";

startHttpServer({
  hostname: "127.0.0.1",
  port: endpointPort(),
  maxConnections: 512,
  handle: () => textResponse(200, "ok"),
});
