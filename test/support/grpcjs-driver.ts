/**
 * A CSI driver on grpc-js that does as it is told: the modes are those of driver-protocol.ts.
 *
 *     bun grpcjs-driver.ts --socket PATH --name NAME [--mode MODE]
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type handleUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { DriverEvent } from "./driver-protocol";

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
  },
});
const modes: Modes = new Map([
  ["mode", values.mode],
  ["info", "ready"],
]);
await serve(values.socket, identity(values.name, modes));
emit({ event: "listening" });
obeyCommands(modes);

async function serve(socket: string, implementation: UntypedServiceImplementation): Promise<void> {
  // A driver that was killed leaves its socket behind; real drivers clear it away when they start.
  rmSync(socket, { force: true });
  const server = new Server();
  server.addService(identityDefinition(), implementation);
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

/** The service of csi.proto, whose requests are handed on as their size: they are empty messages. */
function identityDefinition(): ServiceDefinition {
  const loaded = loadSync(join(import.meta.dirname, "../../proto/csi.proto"), { keepCase: true });
  // proto-loader types a package as a union of all that it may hold; this one is a service, or the test fails at once.
  const service = loaded["csi.v1.Identity"] as ServiceDefinition;
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: (bytes: Buffer): RequestSize => ({ requestBytes: bytes.length }) },
    ]),
  );
}

function identity(name: string, current: Modes): UntypedServiceImplementation {
  return {
    Probe: answer(
      () => current.get("mode"),
      (mode) => probeAnswer(mode),
    ),
    GetPluginInfo: answer(
      () => current.get("info"),
      () => ({ name, vendor_version: "1.0.0" }),
    ),
    GetPluginCapabilities: answer(
      () => "ready",
      () => ({ capabilities: [{ service: { type: "CONTROLLER_SERVICE" } }] }),
    ),
  };
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
