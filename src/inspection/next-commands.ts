import type { Pod } from "../processes/pod";
import { isSubdomain } from "../node/pod-names";
import { readText, valueOf } from "../node/reads";
import type { Root } from "../node/rooted-path";
import type { NodePlaces } from "./node-view";
import type { FailureReason } from "../driver/probe-result";
import { shellCommand } from "../base/shell-command";

/** What a person may run next, each to paste into a shell. Undefined is what cannot be known, or cannot be pasted. */
export interface NextCommands {
  /** Every socket of the node. */
  readonly list: string | undefined;
  /** The same inspection once more. */
  readonly inspect: string | undefined;
  /** The same with the rights of root. */
  readonly inspectAsRoot: string | undefined;
  /** The pods of the node. */
  readonly pods: string | undefined;
  /** What the driver's log says last. */
  readonly logs: string | undefined;
  /** The program that listens. */
  readonly program: string | undefined;
}

export interface NextOptions {
  readonly root: Root;
  readonly socketPath: string;
  /** What was given on the command line. */
  readonly places: NodePlaces;
}

/** A process that listens, as far as it is known. */
export interface KnownListener {
  readonly pid: number | undefined;
  readonly pod: Pod | undefined;
}

export function nextCommands({ root, socketPath, places }: NextOptions, { pid, pod }: KnownListener): NextCommands {
  const us = (...words: readonly string[]) => ["livenessprobe", ...words, ...placeFlags(places)];
  return {
    list: shellCommand(us("list")),
    inspect: shellCommand(us("inspect", socketPath)),
    inspectAsRoot: shellCommand(["sudo", ...us("inspect", socketPath)]),
    pods: shellCommand(["kubectl", "get", "pods", "-A", "-o", "wide", ...onNode(root)]),
    logs: pod === undefined ? journalCommand(pid) : (logsCommand(pod) ?? journalCommand(pid)),
    program: pid === undefined ? undefined : shellCommand(["ps", "-fp", String(pid)]),
  };
}

/** For a person at the node, with the steps before this one in sight: in words, and a command to paste. */
export function remedyOf(
  reason: FailureReason,
  next: NextCommands,
  uid: number,
): readonly [words: string, command: string | undefined] {
  switch (reason) {
    case "socket_missing":
    case "nobody_listens":
      return ["see why the driver is not running", next.pods];
    case "not_a_socket":
      return ["see on which paths the node's drivers listen", next.list];
    case "permission_denied":
      return uid === 0
        ? ["do as said here; the kernel's log has what a security module denied", "dmesg | grep -iE 'avc|apparmor'"]
        : ["connect as somebody who may, as said here", next.inspectAsRoot];
    case "hung":
      return ["see how its process is, above, and what its log says last", next.logs ?? next.pods];
    case "closed":
    case "rpc_error":
      return ["see what the driver's log says", next.logs ?? next.pods];
    case "not_grpc":
      return ["see which program listens there", next.program ?? next.list];
    case "internal":
      return ["see what this machine is short of", "ulimit -n; free -m"];
  }
  return reason satisfies never;
}

/** The flags by which another command looks at the same node. */
export function placeFlags({ rootDir, kubeletDirs }: NodePlaces): readonly string[] {
  return [...(rootDir === "/" ? [] : ["--root", rootDir]), ...kubeletDirs.flatMap((path) => ["--kubelet-dir", path])];
}

/** A node's name is its host name, unless the kubelet was told another. */
function onNode(root: Root): readonly string[] {
  const found = root.resolve("/etc/hostname");
  const name = found.kind === "found" ? valueOf(readText(found.outerPath))?.trim() : undefined;
  return isSubdomain(name) ? ["--field-selector", `spec.nodeName=${name}`] : [];
}

function logsCommand({ namespace, name, container, restarted }: Pod): string | undefined {
  if (namespace === undefined || name === undefined) return undefined;
  const ofContainer = container === undefined ? [] : ["-c", container];
  // A driver that was restarted has said in the run before why.
  const previous = restarted ? ["--previous"] : [];
  return shellCommand(["kubectl", "logs", "-n", namespace, name, ...ofContainer, ...previous]);
}

/** What a process has written that is no pod's. */
function journalCommand(pid: number | undefined): string | undefined {
  return pid === undefined ? undefined : shellCommand(["journalctl", "-n", "100", `_PID=${pid}`]);
}
