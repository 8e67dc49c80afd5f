/**
 * A CSI driver for the build and the demo: the Identity service on grpc-js, which is always ready.
 *
 *     bun scripts/demo/sample-driver.ts SOCKET NAME
 *
 * It prints `listening`, removes its socket on SIGTERM, and ends with its standard input.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [socket = "", name = ""] = process.argv.slice(2);

const identity: UntypedServiceImplementation = {
  Probe: answer({ ready: { value: true } }),
  GetPluginInfo: answer({ name, vendor_version: "1.0.0" }),
};

function answer(message: object): UntypedServiceImplementation[string] {
  return (_: unknown, respond: (error: null, message: object) => void) => respond(null, message);
}

const loaded = loadSync(join(import.meta.dirname, "../../proto/csi.proto"), { keepCase: true });
const server = new Server();
// proto-loader types each name of a package as all that it may be; this one is a service.
server.addService(loaded["csi.v1.Identity"] as ServiceDefinition, identity);
server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  console.log("listening");
});

function stop(): void {
  server.forceShutdown();
  rmSync(socket, { force: true });
  process.exit(0);
}

process.on("SIGTERM", stop);
process.stdin.on("end", stop).resume();
