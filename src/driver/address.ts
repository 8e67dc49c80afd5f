import { isAbsolute } from "node:path";

/** Longest path that fits `sockaddr_un.sun_path` on Linux with its terminating NUL, in bytes (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;

export type CsiAddress =
  | { readonly kind: "socket"; readonly path: string }
  /** `rule` is worded to follow "must". */
  | { readonly kind: "invalid"; readonly rule: string };

/**
 * Reads a CSI endpoint as drivers and sidecars write it: `/csi/csi.sock`, `unix:/csi/csi.sock` or
 * `unix:///csi/csi.sock`.
 *
 * An address that can never work is told apart here, at start, rather than by every probe: with `csi.sock` or `tcp://`
 * the Go sidecar waits for ever. Two forms that work there are refused on purpose: TCP, for a sidecar shares a socket
 * with its driver, and `unix:csi.sock`, whose meaning hangs on the working directory.
 *
 * @param text the value of `--csi-address`
 * @returns the socket's absolute path, or the rule that `text` breaks
 */
export function parseCsiAddress(text: string): CsiAddress {
  // gRPC's naming: `unix:path` or `unix:///absolute`; in `unix://x/y` the x is an authority, which a socket cannot
  // have.
  const path = text.replace(/^unix:(\/\/)?/i, "");
  if (path === "") return { kind: "invalid", rule: "not be empty" };
  if (!isAbsolute(path)) {
    const isNetworkAddress = /^[a-z][a-z0-9+.-]*:|:\d+$/i.test(path);
    return { kind: "invalid", rule: isNetworkAddress ? "be a unix socket" : "be an absolute path" };
  }
  if (/\p{Cc}/u.test(path)) return { kind: "invalid", rule: "not contain control characters" };
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    return { kind: "invalid", rule: `be at most ${MAX_SOCKET_PATH_BYTES} bytes long` };
  }
  return { kind: "socket", path };
}
