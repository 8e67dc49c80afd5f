import { createServer } from "node:http";
import { endpointPort } from "./endpoint";

createServer((_, response) => void response.end("ok")).listen(endpointPort(), "127.0.0.1");
