import { errorCode } from "../base/errors";
import type { ConnectOutcome } from "./connection";

/**
 * connect(2) on a unix socket returns at once, whether it succeeds or not: this bound is for a driver that takes the
 * connection.
 */
const BOUND_MS = 250;

/**
 * What `ECONNREFUSED` of Bun's sockets hides: a full queue of connections, and a socket that is no stream socket
 * (unix(7)).
 */
const HIDDEN = new Set(["EAGAIN", "EPROTOTYPE"]);

/**
 * Replaces the code of a refusal by that of connect(2), where Bun hides it: its sockets say `ECONNREFUSED` for most
 * errors, and its `fetch` says which one it was. So a connection that was refused, and no other, is tried once more
 * with `fetch`.
 *
 * A driver that takes connections by then sees one that is closed again within 250 ms.
 */
export async function explainRefusal(outcome: ConnectOutcome, path: string): Promise<ConnectOutcome> {
  if (outcome.kind !== "refused" || outcome.code !== "ECONNREFUSED") return outcome;
  const code = await fetchErrorCode(path);
  return code !== undefined && HIDDEN.has(code) ? { kind: "refused", code } : outcome;
}

async function fetchErrorCode(path: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(BOUND_MS);
    await fetch("http://localhost/", { unix: path, method: "HEAD", redirect: "manual", keepalive: false, signal });
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}
