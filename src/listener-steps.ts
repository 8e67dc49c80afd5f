import { formatDuration } from "./duration";
import { findListeners, type ListenerSearch } from "./node/listeners";
import type { ProcAccess, Seen } from "./node/needs";
import { readOomKills } from "./node/oom-kills";
import { findPod, type Pod } from "./node/pod";
import { describeProcess, type ProcessFacts } from "./node/processes";
import type { Root } from "./node/rooted-path";
import { readSecurityLabel, type SecurityLabel } from "./node/security-label";
import type { InspectStep, ListenerReport, StepOutcome } from "./report";
import { quote } from "./text";

/** Whose processes and control groups are looked at. */
export interface ListenerView {
  readonly access: ProcAccess;
  readonly root: Root;
  /** The kubelets' directories, as paths inside the root. */
  readonly kubeletDirs: readonly string[];
}

/** A socket's file, for which somebody may listen. */
export interface SocketFileId {
  /** Without symbolic links. */
  readonly path: string;
  /** `device:inode`. */
  readonly fileId: string;
}

/** Who listens, and how they are. */
export interface ListenerSteps {
  readonly steps: readonly InspectStep[];
  readonly pod: Pod | undefined;
  readonly label: SecurityLabel | undefined;
}

/** Who listens on a socket, for a row of `list`; undefined where it cannot be told. */
export async function reportListener(view: ListenerView, socket: SocketFileId): Promise<ListenerReport | undefined> {
  const search = findListeners(view.access, socket);
  if (search.kind !== "found") return undefined;
  const [pid] = search.listeners[0].pids;
  const described = describeProcess(view.access, pid);
  if (described.kind === "gone") return undefined;
  const pod = findPod(view.root, described.process.cgroups, view.kubeletDirs);
  return {
    pid,
    command: described.process.name,
    namespace: pod?.namespace,
    pod: pod?.name,
    container: pod?.container,
  };
}

/** Finds who listens on a socket, without a connection to it, and says how that process is. Never rejects. */
export async function takeListenerSteps(view: ListenerView, socket: SocketFileId): Promise<ListenerSteps> {
  const begun = performance.now();
  const search = findListeners(view.access, socket);
  const elapsedMs = performance.now() - begun;
  if (search.kind !== "found")
    return { steps: [step("listener", notFound(search), elapsedMs), step("process", NOT_REACHED)], ...NOBODY };
  const [{ pids, boundPath }] = search.listeners;
  const described = describeProcess(view.access, pids[0]);
  const path = boundPath === socket.path ? [] : [`bound as ${boundPath}`];
  const held = pids.length > 1 ? [`held by ${pids.length} processes`] : [];
  if (described.kind === "gone") {
    const details = [`pid ${pids[0]}`, ...path];
    const gone: StepOutcome = { kind: "failed", details: ["it has just ended"], remedy: "try again" };
    return { steps: [step("listener", { kind: "passed", details }, elapsedMs), step("process", gone)], ...NOBODY };
  }
  const { process } = described;
  const pod = findPod(view.root, process.cgroups, view.kubeletDirs);
  const details = [`pid ${process.pid} ${quote(process.name)}`, ...path, ...held, ...podDetails(pod)];
  return {
    steps: [step("listener", { kind: "passed", details }, elapsedMs), step("process", judgeProcess(process, view))],
    pod,
    label: readSecurityLabel(view.access.procDir, process.pid),
  };
}

const NOT_REACHED: StepOutcome = { kind: "notReached" };
const NOBODY = { pod: undefined, label: undefined } as const;

function notFound(search: Exclude<ListenerSearch, { readonly kind: "found" }>): StepOutcome {
  switch (search.kind) {
    case "nobody":
      return {
        kind: "failed",
        details: ["nobody listens: the socket was left by a process that has ended"],
        remedy: "see why the driver is not running",
      };
    case "unknown":
      return { kind: "absent", details: ["cannot be told: whoever may listen is on a mount that is not touched"] };
    case "notPermitted":
      return { kind: "notPermitted", needs: search.needs };
  }
  return search satisfies never;
}

function podDetails(pod: Pod | undefined): readonly string[] {
  if (pod === undefined) return ["in no pod"];
  const { namespace, name, container, uid } = pod;
  if (namespace === undefined || name === undefined) return [`in the pod with uid ${uid ?? "unknown"}`];
  return [`in pod ${namespace}/${name}`, ...(container === undefined ? [] : [`container ${container}`])];
}

function judgeProcess(process: ProcessFacts, { root }: ListenerView): StepOutcome {
  const { state, uid, ageMs, executable } = process;
  const kills = readOomKills(root, process.cgroups);
  const facts = [
    `${state.word} (${state.letter})`,
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(ageMs === undefined ? [] : [`up for ${formatDuration(Math.round(ageMs / 1_000) * 1_000)}`]),
    ...seenText(executable),
    ...killText("its container", kills.container),
    ...killText("its pod", kills.pod),
  ];
  const waits = [process.wait, ...process.blocked.map(({ wait }) => wait)].flatMap(({ whatFor, channel }) =>
    whatFor === undefined ? [] : [`waits for ${whatFor} (${channel ?? ""})`],
  );
  if (state.letter === "T" || state.letter === "t")
    return {
      kind: "failed",
      details: facts,
      remedy: `it answers nothing until it is continued: kill -CONT ${process.pid}`,
    };
  if (state.letter === "D" || process.blocked.length > 0)
    return {
      kind: "failed",
      details: [...facts, ...new Set(waits)],
      remedy: "it hangs in the kernel: mend what it waits for; no signal ends it before",
    };
  if (state.letter === "Z")
    return { kind: "failed", details: facts, remedy: "it has ended, and its parent has not noticed" };
  return { kind: "passed", details: facts };
}

function seenText(executable: Seen<string>): readonly string[] {
  return executable.kind === "seen" ? [executable.value] : [];
}

function killText(where: string, kills: number | undefined): readonly string[] {
  return kills === undefined || kills === 0 ? [] : [`${kills} out-of-memory kills in ${where}`];
}

function step(title: string, outcome: StepOutcome, elapsedMs?: number): InspectStep {
  return { title, outcome, elapsedMs };
}
