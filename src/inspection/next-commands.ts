import type { Pod } from "../processes/pod";
import type { Root } from "../node/rooted-path";
import type { FailureReason } from "../driver/diagnosis";
import { type Invocation, ownCommand, shellCommand } from "../base/shell-command";

/** What a person may run next, each to paste into a shell. Undefined is what is not known, or cannot be pasted. */
export interface NextCommands {
  readonly list: string | undefined;
  /** What the driver's log says last. */
  readonly logs: string | undefined;
  /** The program that listens. */
  readonly program: string | undefined;
}

/** @param listener the process that listens, as far as it is known */
export function nextCommands(
  root: Root,
  self: Invocation,
  { pid, pod }: { readonly pid?: number | undefined; readonly pod?: Pod | undefined },
): NextCommands {
  return {
    list: ownCommand(self, ["list"]),
    logs: (pod && logsCommand(pod)) ?? journalCommand(root, pid),
    program: pid === undefined ? undefined : shellCommand(["ps", "-fp", String(pid)]),
  };
}

/** The pods of the node. NODE is a placeholder: no file of a node tells the name that it has in the cluster. */
export const PODS = "kubectl get pods -A -o wide --field-selector spec.nodeName=NODE";

function logsCommand({ namespace, name, container, restarted }: Pod): string | undefined {
  if (namespace === undefined || name === undefined) return undefined;
  const ofContainer = container === undefined ? [] : ["-c", container];
  // A driver that was restarted has said in the run before why.
  const previous = restarted ? ["--previous"] : [];
  return shellCommand(["kubectl", "logs", "-n", namespace, name, ...ofContainer, ...previous]);
}

/** What a process has written that is no pod's. The directory is there where systemd runs (sd_booted(3)). */
function journalCommand(root: Root, pid: number | undefined): string | undefined {
  if (pid === undefined || root.resolve("/run/systemd/system").kind !== "found") return undefined;
  return shellCommand(["journalctl", "-n", "100", `_PID=${pid}`]);
}

/**
 * What to do about a failure: in words for a person at the node, who sees the steps before this one, and a command to
 * paste.
 */
export function remedyOf(
  reason: FailureReason,
  next: NextCommands,
): readonly [words: string, command: string | undefined] {
  switch (reason) {
    case "socket_missing":
    case "nobody_listens":
      return ["see why the driver is not running", PODS];
    case "not_a_socket":
      return ["see on which paths the node's drivers listen", next.list];
    case "permission_denied":
      return ["do as said here; the kernel's log has what a security module denied", "dmesg | grep -iE 'avc|apparmor'"];
    case "hung":
      return next.logs === undefined
        ? ["see the step process above; find the driver's pod, and read its log", PODS]
        : ["see the step process above, and what the driver's log says last", next.logs];
    case "closed":
    case "rpc_error":
      return next.logs === undefined
        ? ["find the driver's pod, and read its log", PODS]
        : ["see what the driver's log says", next.logs];
    case "not_grpc":
      return ["see which program listens there", next.program ?? next.list];
    case "internal":
      return ["see what this machine is short of", "ulimit -n; free -m"];
  }
  return reason satisfies never;
}
