import { join } from "node:path";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { ALLOWED_METHODS, FORBIDDEN_METHODS, NODE_GET_INFO_METHOD } from "./csi-methods";
import { loadService } from "./proto-loader";
import { temporaryDirectory } from "../../scripts/temporary";

export interface RegistrationServerOptions {
  /** `CSIPlugin` where absent. */
  readonly type?: string;
  readonly name?: string;
  /** The driver's socket as the kubelet is to know it; empty where absent, which means this socket itself. */
  readonly endpoint?: string;
  /** `1.0.0` where absent, as node-driver-registrar says. */
  readonly supportedVersions?: readonly string[];
  /**
   * Where to listen; in a fresh directory of its own where absent. The caller's directory is the caller's to remove.
   */
  readonly socketPath?: string;
  /** Answers GetInfo with this status instead; `hang`: never. */
  readonly failure?: { readonly code: number; readonly details: string } | "hang";
  /** How long GetInfo takes. */
  readonly delayMs?: number;
  /** Called before GetInfo is answered. */
  readonly onCall?: () => void;
}

export interface RegistrationServer extends AsyncDisposable {
  readonly socketPath: string;
  /** The gRPC paths that were called so far, oldest first. */
  readonly calls: readonly string[];
}

const GET_INFO_METHOD = "/pluginregistration.Registration/GetInfo";

/**
 * Starts, in this process, what node-driver-registrar or a DRA driver is in `plugins_registry/`: a registration socket,
 * on grpc-js. To dispose of it fails where it was asked anything but GetInfo, most of all NotifyRegistrationStatus.
 */
export async function startRegistrationServer(options: RegistrationServerOptions = {}): Promise<RegistrationServer> {
  const directory = temporaryDirectory();
  const { socketPath = join(directory.path, "reg.sock") } = options;
  const calls: string[] = [];
  const server = new Server();
  server.addService(loadService("registration.proto", "pluginregistration.Registration"), {
    GetInfo: getInfo(options, calls),
  });
  // grpc-js tells of no call to a method that it has not, so what may never be called here is there, to tell of it.
  for (const method of [...FORBIDDEN_METHODS, ...ALLOWED_METHODS, NODE_GET_INFO_METHOD]) {
    if (method !== GET_INFO_METHOD) server.register(method, refusal(method, calls), unchanged, unchanged, "unary");
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    socketPath,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
      directory[Symbol.dispose]();
      const others = calls.filter((method) => method !== GET_INFO_METHOD);
      if (others.length > 0) throw new Error(`a registration socket was asked ${others.join(", ")}`);
    },
  };
}

function getInfo(options: RegistrationServerOptions, calls: string[]): handleUnaryCall<object, object> {
  const { type = "CSIPlugin", name = "registered.csi.test", endpoint = "", supportedVersions = ["1.0.0"] } = options;
  return (_, respond) => {
    calls.push(GET_INFO_METHOD);
    options.onCall?.();
    if (options.failure === "hang") return;
    if (options.failure !== undefined) return respond(options.failure);
    setTimeout(
      () => respond(null, { type, name, endpoint, supported_versions: supportedVersions }),
      options.delayMs ?? 0,
    );
  };
}

function refusal(method: string, calls: string[]): handleUnaryCall<Buffer, Buffer> {
  return (_, respond) => {
    calls.push(method);
    respond({ code: status.UNIMPLEMENTED, details: `unknown method ${method}` });
  };
}

function unchanged(bytes: Buffer): Buffer {
  return bytes;
}
