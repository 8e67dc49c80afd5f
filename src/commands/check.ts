import { callOnce, noConnection } from "../driver/client";
import { PROBE } from "../driver/messages";
import type { CommandOf, ProcessContext } from "../cli/command";
import { CHECK_ARGS, type CheckOptions, readCheckOptions, readInvocation } from "../cli/operator-options";
import { NPD_EXIT_CODES, npdExitCode, npdLine, OUTCOME_EXIT_CODES, outcomeExitCode } from "./exit-code";
import { GONE_PATH, type PinOutcome } from "../node/pinned-socket";
import { probeOnce } from "../driver/probe";
import { lookAtSocketFile } from "../driver/socket-file";
import { renderCheckJson, renderCheckLine } from "../terminal/check-line";
import type { Invocation } from "../base/shell-command";

/** `livenessprobe check [ADDRESS|DRIVER]`: one probe, one line. */
export function defineCheck(context: ProcessContext): CommandOf<typeof CHECK_ARGS> {
  return {
    meta: { name: "check", description: "Probe one driver, and print the result in one line." },
    args: CHECK_ARGS,
    notes: [...OUTCOME_EXIT_CODES, ...NPD_EXIT_CODES],
    run: ({ args, given }) => check(readCheckOptions(args), readInvocation(given, context.program()), context),
  };
}

/** Between two probes of `--wait`. */
const PAUSE_MS = 500;

async function check(options: CheckOptions, self: Invocation, context: ProcessContext): Promise<number> {
  const driver = await findDriver(options, self);
  const { socketPath, result } = await probeUntilReady(driver, options, context);
  const forNpd = options.exitCodes === "npd";
  const text = renderers[options.output](socketPath, result);
  context.writeOut(forNpd && options.output === "table" ? npdLine(text) : text);
  return forNpd ? npdExitCode(result) : outcomeExitCode(result);
}

const renderers = { json: renderCheckJson, table: renderCheckLine };

/** A driver's socket, held for one probe: the path of a named driver may lead to another one at the next probe. */
interface HeldDriver {
  /** The path in messages: as the kubelet knows it. */
  readonly socketPath: string;
  readonly held: PinOutcome;
}

type HoldDriver = () => Promise<HeldDriver>;

async function findDriver({ target, probeTimeoutMs, ...places }: CheckOptions, self: Invocation): Promise<HoldDriver> {
  if (target.kind === "address") {
    const { socketPath } = target;
    const socket = { path: socketPath, [Symbol.dispose]: () => {} };
    return async () => ({ socketPath, held: { kind: "pinned", socket } });
  }
  // Imported only for a name: an address needs none of it.
  const [{ holdSocket, openNode }, { findNamedDriver, socketsIn }] = await Promise.all([
    import("../inspection/node-view"),
    import("../inspection/named-driver"),
  ]);
  const node = await openNode(places);
  const found = await findNamedDriver(target.name, node, { probeTimeoutMs, self });
  return async () => {
    const held = holdSocket(node, found);
    if (held.kind !== "replaced") return { socketPath: found, held };
    // The driver may have made a socket of another name in its directory.
    const anew = await openNode(places);
    const [only, ...more] = socketsIn(anew, target.name);
    const socketPath = only === undefined || more.length > 0 ? found : only.path;
    return { socketPath, held: holdSocket(anew, socketPath) };
  };
}

/** The last result. Each change before it goes to standard error. */
async function probeUntilReady(hold: HoldDriver, { probeTimeoutMs, waitMs }: CheckOptions, context: ProcessContext) {
  const begun = performance.now();
  const until = begun + waitMs;
  let told = "";
  for (;;) {
    // The last probe has half a second too, so that it does not call a ready driver hung.
    const leftMs = Math.max(PAUSE_MS, until - performance.now());
    const timeoutMs = waitMs === 0 ? probeTimeoutMs : Math.min(probeTimeoutMs, leftMs);
    const { socketPath, held } = await hold();
    using socket = held.kind === "pinned" ? held.socket : undefined;
    const path = socket?.path ?? GONE_PATH;
    const result = await probeOnce({
      socketPath,
      socketFile: () => lookAtSocketFile(path),
      triedMs: () => performance.now() - begun,
      probe: async () =>
        held.kind === "failed"
          ? { outcome: noConnection(held.code), timing: { elapsedMs: 0 } }
          : callOnce({ socketPath: path, timeoutMs }, PROBE),
    });
    const restMs = until - performance.now();
    if (result.kind === "ready" || restMs <= 0) return { socketPath, result };
    const news = result.kind === "failed" ? result.reason : result.kind;
    if (news !== told) context.writeError(`waiting: ${renderCheckLine(socketPath, result)}`);
    told = news;
    await Bun.sleep(Math.min(PAUSE_MS, restMs));
  }
}
