import type { Pod } from "./node/pod";
import { isSubdomain } from "./node/pod-names";
import { readText, valueOf } from "./node/reads";
import type { Root } from "./node/rooted-path";
import { shellCommand } from "./shell-command";

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
  /** As given with `--root`. */
  readonly rootDir: string;
  readonly socketPath: string;
}

/** A process that listens, as far as it is known. */
export interface KnownListener {
  readonly pid: number | undefined;
  readonly pod: Pod | undefined;
}

export function nextCommands({ root, rootDir, socketPath }: NextOptions, { pid, pod }: KnownListener): NextCommands {
  const us = (...words: readonly string[]) => [
    "livenessprobe",
    ...words,
    ...(rootDir === "/" ? [] : ["--root", rootDir]),
  ];
  return {
    list: shellCommand(us("list")),
    inspect: shellCommand(us("inspect", socketPath)),
    inspectAsRoot: shellCommand(["sudo", ...us("inspect", socketPath)]),
    pods: shellCommand(["kubectl", "get", "pods", "-A", "-o", "wide", ...onNode(root)]),
    logs: pod === undefined ? journalCommand(pid) : (logsCommand(pod) ?? journalCommand(pid)),
    program: pid === undefined ? undefined : shellCommand(["ps", "-fp", String(pid)]),
  };
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
