/**
 * A CSI driver on grpc-js that does as it is told: the modes are those of driver-protocol.ts.
 *
 *     bun grpcjs-driver.ts --socket PATH --name NAME [--mode MODE] [--vendor-version TEXT]
 *         [--plugin-capabilities NAME,...] [--node-capabilities NAME,...] [--controller-capabilities NAME,...]
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type handleUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { FORBIDDEN_METHODS } from "./csi-methods";
import type { DriverCall, DriverEvent } from "./driver-protocol";

interface RequestSize {
  readonly requestBytes: number;
}

type Answer = object;
type Modes = Map<string, string>;

const { values } = parseArgs({
  options: {
    socket: { type: "string", default: "" },
    name: { type: "string", default: "grpcjs.csi.test" },
    mode: { type: "string", default: "ready" },
    "vendor-version": { type: "string", default: "1.0.0" },
    "plugin-capabilities": { type: "string", default: "CONTROLLER_SERVICE,ONLINE" },
    "node-capabilities": { type: "string", default: "STAGE_UNSTAGE_VOLUME,GET_VOLUME_STATS" },
    "controller-capabilities": { type: "string", default: "CREATE_DELETE_VOLUME,PUBLISH_UNPUBLISH_VOLUME" },
  },
});
const CALLS: readonly DriverCall[] = [
  "mode",
  "info",
  "GetPluginCapabilities",
  "NodeGetCapabilities",
  "NodeGetInfo",
  "ControllerGetCapabilities",
];
const modes: Modes = new Map(CALLS.map((call) => [call, call === "mode" ? values.mode : "ready"]));
await serve(values.socket, (server) => {
  addService(server, "csi.v1.Identity", identity(modes));
  addService(server, "csi.v1.Node", node(modes));
  addService(server, "csi.v1.Controller", controller(modes));
  reportOthers(server);
});
emit({ event: "listening" });
obeyCommands(modes);

async function serve(socket: string, addServices: (server: Server) => void): Promise<void> {
  // A driver that was killed leaves its socket behind; real drivers clear it away when they start.
  rmSync(socket, { force: true });
  const server = new Server();
  addServices(server);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  process.on("SIGTERM", () => {
    server.forceShutdown();
    rmSync(socket, { force: true });
    process.exit(0);
  });
}

/** Adds a service of csi.proto, whose requests are handed on as their size: they are empty messages. */
function addService(server: Server, service: string, implementation: UntypedServiceImplementation): void {
  const loaded = loadSync(join(import.meta.dirname, "../../proto/csi.proto"), { keepCase: true });
  // proto-loader types a package as a union of all that it may hold; this one is a service, or the test fails at once.
  const definition = loaded[service] as ServiceDefinition;
  const entries = Object.entries(definition).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: (bytes: Buffer): RequestSize => ({ requestBytes: bytes.length }) },
  ]);
  server.addService(Object.fromEntries(entries), implementation);
}

/** grpc-js tells of no call to a method that it has not, so what may never be called is there, to tell of it. */
function reportOthers(server: Server): void {
  for (const method of FORBIDDEN_METHODS) {
    const refuse: handleUnaryCall<Buffer, Buffer> = (_, respond) => {
      emit({ event: "rpc", method });
      respond({ code: status.UNIMPLEMENTED, details: `unknown method ${method}` });
    };
    server.register(method, refuse, unchanged, unchanged, "unary");
  }
}

function unchanged(bytes: Buffer): Buffer {
  return bytes;
}

function identity(current: Modes): UntypedServiceImplementation {
  return {
    Probe: answer(
      () => current.get("mode"),
      (mode) => probeAnswer(mode),
    ),
    GetPluginInfo: answer(
      () => current.get("info"),
      () => ({ name: values.name, vendor_version: values["vendor-version"] }),
    ),
    GetPluginCapabilities: answer(
      () => current.get("GetPluginCapabilities"),
      () => ({ capabilities: types(values["plugin-capabilities"]).map(pluginCapability) }),
    ),
  };
}

function node(current: Modes): UntypedServiceImplementation {
  return {
    NodeGetCapabilities: answer(
      () => current.get("NodeGetCapabilities"),
      () => ({ capabilities: types(values["node-capabilities"]).map((type) => ({ rpc: { type } })) }),
    ),
    NodeGetInfo: answer(
      () => current.get("NodeGetInfo"),
      () => ({
        node_id: "node-1",
        max_volumes_per_node: 25,
        accessible_topology: { segments: { "topology.csi.test/zone": "zone-1" } },
      }),
    ),
  };
}

function controller(current: Modes): UntypedServiceImplementation {
  return {
    ControllerGetCapabilities: answer(
      () => current.get("ControllerGetCapabilities"),
      () => ({ capabilities: types(values["controller-capabilities"]).map((type) => ({ rpc: { type } })) }),
    ),
  };
}

/** Names of an enum's values, which proto-loader knows, or numbers. */
function types(names: string): readonly (string | number)[] {
  const given = names.split(",").filter((name) => name !== "");
  return given.map((name) => (/^\d+$/.test(name) ? Number(name) : name));
}

function pluginCapability(type: string | number): Answer {
  return type === "ONLINE" || type === "OFFLINE" ? { volume_expansion: { type } } : { service: { type } };
}

function probeAnswer(mode: string): Answer {
  switch (mode) {
    case "absent":
      return {};
    case "notready":
      return { ready: { value: false } };
    case "notready-empty":
      return { ready: {} };
  }
  return { ready: { value: true } };
}

function answer(
  currentMode: () => string | undefined,
  message: (mode: string) => Answer,
): handleUnaryCall<RequestSize, Answer> {
  return (call, respond) => {
    const mode = currentMode() ?? "ready";
    const deadline = call.getDeadline();
    const agent = call.metadata.get("user-agent")[0];
    emit({
      event: "rpc",
      method: call.getPath(),
      requestBytes: call.request.requestBytes,
      authority: call.getHost(),
      ...(Number.isFinite(Number(deadline)) ? { deadlineMs: Number(deadline) - Date.now() } : {}),
      ...(agent === undefined ? {} : { userAgent: agent.toString() }),
    });
    if (mode === "trailers") call.sendMetadata(metadata("header"));
    follow(mode, message(mode), respond);
  };
}

function follow(mode: string, message: Answer, respond: sendUnaryData<Answer>): void {
  const [kind, first = "", ...rest] = mode.split(" ");
  switch (kind) {
    case "hang":
      return;
    case "slow":
      setTimeout(() => respond(null, message), Number(first));
      return;
    case "status":
      respond({ code: Number(first), details: rest.join(" ") });
      return;
    case "trailers":
      respond(null, message, metadata("trailer"));
      return;
  }
  respond(null, message);
}

function metadata(value: string): Metadata {
  const pairs = new Metadata();
  pairs.set("x-driver", value);
  return pairs;
}

/** Ends the process with its parent: a test run that dies leaves no drivers behind. */
function obeyCommands(current: Modes): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [what = "", ...mode] = line.split(" ");
    if (!current.has(what)) throw new Error(`unknown command ${JSON.stringify(line)}`);
    current.set(what, mode.join(" "));
    emit({ event: "command", line });
  });
  lines.on("close", () => process.exit(0));
}

function emit(event: DriverEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
