import { MAX_SOCKET_PATH_BYTES } from "../../driver/address";
import type { FailureReason } from "../../driver/diagnosis";
import { formatMode } from "../../driver/permission";
import { type FileFacts, type Resolution, resolutionText, type Unresolved } from "../../node/rooted-path";
import { type NextCommands, remedyOf } from "../next-commands";
import type { NodeView } from "../node-view";
import type { DriverAnswers } from "../questions";
import { failed, type InspectStep, NOT_REACHED, passed, type StepOutcome, step } from "../report";

/** What a socket's path leads to, step by step. */
export type PathSteps =
  | { readonly kind: "socket"; readonly steps: readonly InspectStep[]; readonly socket: FoundFile }
  /** There is no socket to connect to; `outcome` says why. */
  | { readonly kind: "ended"; readonly steps: readonly InspectStep[]; readonly outcome: DriverAnswers["outcome"] };

export interface PathOptions {
  readonly next: NextCommands;
  /** Whether the path was found by a driver's name: nobody has typed it. */
  readonly byName: boolean;
}

type FoundFile = Extract<Resolution, { readonly kind: "found" }>;

/** Follows a path, as the kubelet knows it, to its socket, and touches nothing but the directories on the way. */
export function takePathSteps(node: NodeView, socketPath: string, options: PathOptions): PathSteps {
  const begun = performance.now();
  const resolved = node.root.resolve(socketPath);
  const elapsedMs = performance.now() - begun;
  if (resolved.kind !== "found") {
    const [outcome, remedy, command] = failureOf(resolved, node.uid, options);
    const path = step("path", failed([outcome.message], remedy, command), elapsedMs);
    return { kind: "ended", steps: [path, step("file", NOT_REACHED)], outcome };
  }
  const steps = [
    step("path", pathOutcome(resolved, socketPath), elapsedMs),
    step("file", fileOutcome(resolved.file, node.uid, options.next)),
  ];
  if (resolved.file.type !== "socket")
    return { kind: "ended", steps, outcome: because("not_a_socket", `${socketPath} is no socket`) };
  // Whoever can write to a driver's directory can put a link in the socket's place while drivers are asked for their
  // names.
  if (options.byName && !node.kubelets.holds(resolved.path)) {
    const message = `${socketPath} leads to ${resolved.path}, which lies outside of the kubelet's directory`;
    return { kind: "ended", steps, outcome: { kind: "notAsked", message } };
  }
  return { kind: "socket", steps, socket: resolved };
}

type PathFailure = readonly [
  outcome: Extract<DriverAnswers["outcome"], { readonly message: string }>,
  remedy?: string,
  command?: string | undefined,
];

/** If it is not known what the path leads to, nothing is said of the driver. */
function failureOf(resolved: Unresolved, uid: number, { next, byName }: PathOptions): PathFailure {
  switch (resolved.kind) {
    case "missing":
      return [
        because("socket_missing", `${resolved.path} does not exist`),
        ...remedyOf(byName ? "socket_missing" : "not_a_socket", next),
      ];
    case "notADirectory":
      return [because("socket_missing", `${resolved.path} is no directory`)];
    case "notPermitted":
      return [
        because("permission_denied", `${resolved.path} may not be looked at by uid ${uid}`),
        uid === 0 ? "run this with the capability DAC_READ_SEARCH" : "run this as uid 0",
      ];
    case "loop":
    case "offLimits":
    case "failed":
      return [{ kind: "notAsked", message: resolutionText(resolved) }];
  }
  return resolved satisfies never;
}

function because(reason: FailureReason, message: string) {
  return { kind: "failed", reason, message } as const;
}

function pathOutcome({ path }: FoundFile, socketPath: string): StepOutcome {
  // Its own length counts (unix(7)), and no prefix of ours does.
  const bytes = Buffer.byteLength(socketPath);
  const details = [...(path === socketPath ? [] : [`leads to ${path}`]), `${bytes} of ${MAX_SOCKET_PATH_BYTES} bytes`];
  return bytes > MAX_SOCKET_PATH_BYTES
    ? failed([...details, "no process can bind or connect to a path as long as this"])
    : passed(details);
}

function fileOutcome({ type, uid, gid, mode }: FileFacts, ourUid: number, next: NextCommands): StepOutcome {
  const facts = [`uid ${uid}, gid ${gid}, mode ${formatMode(mode)}`, `we are uid ${ourUid}`];
  if (type === "socket") return passed(["a socket", ...facts]);
  return failed([type === "directory" ? "a directory" : "no socket", ...facts], ...remedyOf("not_a_socket", next));
}
