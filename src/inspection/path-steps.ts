import { MAX_SOCKET_PATH_BYTES } from "../driver/address";
import type { NextCommands } from "./next-commands";
import type { FileFacts, Resolution, Root } from "../node/rooted-path";
import { formatMode } from "../driver/permission";
import type { DriverOutcome, InspectStep, StepOutcome } from "./report";
import { resolutionText } from "./survey-notes";

/** What a socket's path leads to, step by step. */
export type PathSteps =
  | { readonly kind: "socket"; readonly steps: readonly InspectStep[]; readonly socket: FoundFile }
  /** There is no socket to connect to; `outcome` says why. */
  | { readonly kind: "ended"; readonly steps: readonly InspectStep[]; readonly outcome: DriverOutcome };

export interface FoundFile {
  /** As the node knows it, without symbolic links. */
  readonly path: string;
  /** As this process does. */
  readonly outerPath: string;
  readonly file: FileFacts;
}

/**
 * Follows a path of the node to its socket, and touches nothing but the directories on the way.
 *
 * @param socketPath as the kubelet knows it: its length counts (unix(7)), and no prefix of ours does
 * @param uid our own effective user id
 */
export function takePathSteps(
  root: Pick<Root, "resolve">,
  socketPath: string,
  uid: number,
  next: NextCommands,
): PathSteps {
  const begun = performance.now();
  const resolved = root.resolve(socketPath);
  const elapsedMs = performance.now() - begun;
  const pathStep: InspectStep = { title: "path", outcome: pathOutcome(resolved, socketPath, { uid, next }), elapsedMs };
  if (resolved.kind !== "found")
    return {
      kind: "ended",
      steps: [pathStep, { title: "file", outcome: { kind: "notReached" }, elapsedMs: undefined }],
      outcome: outcomeOf(resolved),
    };
  const fileStep: InspectStep = {
    title: "file",
    outcome: fileOutcome(resolved.file, { uid, next }),
    elapsedMs: undefined,
  };
  const steps = [pathStep, fileStep];
  if (resolved.file.type === "socket") return { kind: "socket", steps, socket: resolved };
  const message = `${socketPath} is no socket`;
  return { kind: "ended", steps, outcome: { kind: "failed", reason: "not_a_socket", message } };
}

/** Where it is not known what the path leads to, nothing is said of the driver. */
function outcomeOf(resolved: Exclude<Resolution, { readonly kind: "found" }>): DriverOutcome {
  switch (resolved.kind) {
    case "missing":
      return { kind: "failed", reason: "socket_missing", message: `${resolved.path} does not exist` };
    case "notADirectory":
      return { kind: "failed", reason: "socket_missing", message: `${resolved.path} is no directory` };
    case "notPermitted":
      return { kind: "failed", reason: "permission_denied", message: `${resolved.path} may not be looked at` };
    case "loop":
    case "offLimits":
    case "failed":
      return { kind: "notAsked", message: resolutionText(resolved) };
  }
  return resolved satisfies never;
}

interface Asker {
  readonly uid: number;
  readonly next: NextCommands;
}

function pathOutcome(resolved: Resolution, socketPath: string, asker: Asker): StepOutcome {
  const bytes = Buffer.byteLength(socketPath);
  const length = `${bytes} of ${MAX_SOCKET_PATH_BYTES} bytes`;
  if (resolved.kind !== "found") {
    const missing = resolved.kind === "missing" ? `${resolved.path} does not exist` : resolutionText(resolved);
    return { kind: "failed", details: [missing], ...remedyOf(resolved, asker) };
  }
  const leads = resolved.path === socketPath ? [] : [`leads to ${resolved.path}`];
  if (bytes > MAX_SOCKET_PATH_BYTES)
    return {
      kind: "failed",
      details: [...leads, length, "no process can bind or connect to a path as long as this"],
      ...NOTHING_TO_DO,
    };
  return { kind: "passed", details: [...leads, length] };
}

type Remedy = Pick<Extract<StepOutcome, { readonly kind: "failed" }>, "remedy" | "command">;

const NOTHING_TO_DO: Remedy = { remedy: undefined, command: undefined };

function remedyOf(resolved: Exclude<Resolution, { readonly kind: "found" }>, { uid, next }: Asker): Remedy {
  switch (resolved.kind) {
    case "missing":
      return { remedy: "see on which paths the node's drivers listen", command: next.list };
    case "notPermitted":
      return uid === 0
        ? { remedy: "run this with the capability DAC_READ_SEARCH", command: undefined }
        : { remedy: "run this as uid 0", command: next.inspectAsRoot };
    case "notADirectory":
    case "loop":
    case "offLimits":
    case "failed":
      return NOTHING_TO_DO;
  }
  return resolved satisfies never;
}

function fileOutcome({ type, uid: owner, gid, mode }: FileFacts, { uid, next }: Asker): StepOutcome {
  const facts = [`uid ${owner}, gid ${gid}, mode ${formatMode(mode)}`, `we are uid ${uid}`];
  if (type === "socket") return { kind: "passed", details: ["a socket", ...facts] };
  return {
    kind: "failed",
    details: [type === "directory" ? "a directory" : "no socket", ...facts],
    remedy: "see on which paths the node's drivers listen",
    command: next.list,
  };
}
