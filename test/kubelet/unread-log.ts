import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { Client, credentials } from "@grpc/grpc-js";
import { attempt } from "../../src/base/errors";
import type { Node } from "./node";
import { type Pod, containerOf, processOf } from "./pods";

/** A container's log while nobody reads what the container writes. Dispose of it after the node. */
export interface UnreadLog extends Disposable {
  /** Whether the pipe between the container and containerd has no room for another line. */
  isFull(): boolean;
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
/** What a pipe takes as a whole or not at all (PIPE_BUF in pipe(7)). */
const LINE = "x".repeat(4_095) + "\n";

/**
 * Puts a pipe in the place of a container's log file and reads nothing of it. containerd then blocks in its write, as on a
 * disk that hangs, and reads no more of the pipe that is the container's standard error; that one is filled.
 */
export async function stopReading(node: Node, pod: Pod, container: string): Promise<UnreadLog> {
  const { name, uid } = pod.metadata;
  const file = `/var/log/pods/default_${name}_${uid}/${container}/0.log`;
  rmSync(node.path(file));
  await node.run(["mkfifo", file]);
  const reader = openSync(node.path(file), O_RDONLY | O_NONBLOCK);
  await reopenLog(node, containerOf(pod, container).containerID?.replace("containerd://", "") ?? "");
  const writer = openSync(`/proc/${processOf(pod, container)}/fd/2`, O_WRONLY | O_NONBLOCK);
  const isFull = () => attempt(() => writeSync(writer, LINE)) === undefined;
  while (!isFull());
  return {
    isFull,
    [Symbol.dispose]: () => {
      closeSync(reader);
      closeSync(writer);
    },
  };
}

/** Has containerd open the log file of a container anew, as the kubelet does when it rotates it (CRI, `ReopenContainerLog`). */
async function reopenLog(node: Node, containerId: string): Promise<void> {
  const client = new Client(`unix:${node.path("/run/containerd/containerd.sock")}`, credentials.createInsecure());
  // The message's first field, a string of fewer than 128 bytes.
  const request = Buffer.from([0x0a, containerId.length, ...Buffer.from(containerId)]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.makeUnaryRequest("/runtime.v1.RuntimeService/ReopenContainerLog", asItIs, asItIs, request, (error) =>
    error === null ? resolve() : reject(error),
  );
  await promise.finally(() => client.close());
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}
