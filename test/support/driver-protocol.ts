/**
 * How a call is answered by the drivers of test/drivers and test/support/grpcjs-driver.ts:
 *
 * - `ready`: the field `ready` is true; `absent`: the message is empty, which the CSI spec counts as ready
 * - `notready`: `ready` is false, written out (`0a 02 08 00`); `notready-empty`: as most libraries write it (`0a 00`)
 * - `hang`: HTTP/2 is up, the answer never comes; `slow N`: ready after N milliseconds
 * - `status N text`: the call fails with status code N
 * - `trailers`: ready, with metadata of the driver's own before the message and after it
 */
export type DriverMode =
  | "ready"
  | "absent"
  | "notready"
  | "notready-empty"
  | "hang"
  | "trailers"
  | `slow ${number}`
  | `status ${number} ${string}`;

/**
 * The RPCs whose answers can be commanded: `mode` is Probe's and `info` GetPluginInfo's, the others are called as in
 * CSI. All but Probe know a message or none: in a mode that is about readiness they answer as in `ready`.
 */
export type DriverCall =
  "mode" | "info" | "GetPluginCapabilities" | "NodeGetCapabilities" | "NodeGetInfo" | "ControllerGetCapabilities";

/** A line on a driver's standard input: how an RPC answers from now on. */
export type DriverCommand = `${DriverCall} ${DriverMode}`;

/**
 * A line on a driver's standard output.
 * `connection` and `closed`, with how many are open then, come from the Go driver alone: the others cannot tell.
 */
export type DriverEvent =
  | { readonly event: "listening" }
  | { readonly event: "command"; readonly line: string }
  | { readonly event: "connection" | "closed"; readonly open: number }
  | RpcEvent;

/** A call, told of before it is handled. No gRPC library shows the `grpc-timeout` header: the deadline stands in. */
export interface RpcEvent {
  readonly event: "rpc";
  /** For example `/csi.v1.Identity/Probe`. */
  readonly method: string;
  /** Absent, as all that follows, where the driver has no such method. */
  readonly requestBytes?: number;
  readonly authority?: string;
  /** What was left until the deadline when the driver saw the call; absent where the call has none. */
  readonly deadlineMs?: number;
  readonly userAgent?: string;
}

/** Reads a line that a driver printed. */
export function parseDriverEvent(line: string): DriverEvent {
  // The one cast: both ends of this protocol are ours.
  return JSON.parse(line) as DriverEvent;
}
