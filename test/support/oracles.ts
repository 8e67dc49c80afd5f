import { join } from "node:path";
import { Client, Metadata, credentials } from "@grpc/grpc-js";
import { PROBE } from "../../src/driver/messages";
import { statusName } from "../../src/grpc/status";
import { buildGoProgram, usableProgram } from "./driver-builds";
import { readLines } from "./lines";

/** What a stock gRPC client makes of one `Identity/Probe`. */
export interface OracleAnswer {
  /** In Go's spelling. */
  readonly code: string;
  readonly message: string;
  /** As the client reads the answer; false where there is none. */
  readonly ready: boolean;
}

export interface Oracle extends AsyncDisposable {
  /** Probes the driver once, waiting for a connection as the Go sidecar does. */
  probe(socketPath: string, timeoutMs: number): Promise<OracleAnswer>;
}

/**
 * Starts test/oracles/go, a client on grpc-go, built where need be. Undefined where there is no Go.
 *
 * @throws with CI=true, where there is no Go
 */
export async function startGoOracle(): Promise<Oracle | undefined> {
  const built = await buildGoProgram(join(import.meta.dirname, "../oracles/go"), "oracle");
  const program = usableProgram("the grpc-go client", built);
  if (program === undefined) return undefined;

  const child = Bun.spawn([...program.command], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const waiting = new Map<number, (answer: OracleAnswer) => void>();
  const output = readLines(child.stdout, (line) => {
    const { id, code, message, ready } = JSON.parse(line) as GoAnswer;
    waiting.get(id)?.({ code, message, ready: code === "OK" && ready !== false });
  });
  let asked = 0;
  return {
    probe: async (socket, timeoutMs) => {
      const { promise, resolve } = Promise.withResolvers<OracleAnswer>();
      asked += 1;
      waiting.set(asked, resolve);
      child.stdin.write(`${JSON.stringify({ id: asked, socket, timeoutMs })}\n`);
      await child.stdin.flush();
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await output;
    },
  };
}

/** One line of test/oracles/go; `ready` is null where the driver left it out, which means that it is ready. */
interface GoAnswer {
  readonly id: number;
  readonly code: string;
  readonly message: string;
  readonly ready: boolean | null;
}

/** The public client of grpc-js, on this process's own HTTP/2. */
export function grpcJsOracle(): Oracle {
  return { probe: probeWithGrpcJs, [Symbol.asyncDispose]: async () => {} };
}

function probeWithGrpcJs(socketPath: string, timeoutMs: number): Promise<OracleAnswer> {
  const { promise, resolve } = Promise.withResolvers<OracleAnswer>();
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure());
  client.makeUnaryRequest(
    PROBE.path,
    () => Buffer.alloc(0),
    PROBE.decode,
    null,
    new Metadata({ waitForReady: true }),
    { deadline: Date.now() + timeoutMs },
    (error, response) => {
      client.close();
      // A fault of grpc-js itself comes without a code.
      const code = error === null ? "OK" : statusName(error.code ?? Number.NaN);
      resolve({ code, message: error?.details ?? "", ready: response?.ready === true });
    },
  );
  return promise;
}
