import { formatDuration } from "../../base/duration";
import { PODS } from "../next-commands";
import type { NodeView } from "../node-view";
import { findListeners, type ListenerSearch } from "../../processes/listeners";
import { type Cgroup, containerIdsOf, readOomKills } from "../../processes/cgroups";
import { countLoggedOomKills, readKernelLog } from "../../processes/kernel-log";
import { findPod, type Pod } from "../../processes/pod";
import { describeProcess, type ProcessFacts, withoutShortWaits } from "../../processes/processes";
import { once } from "../../processes/proc-files";
import { startSlices } from "../../base/slices";
import type { Root } from "../../node/rooted-path";
import type { NodeSocket } from "../../node/socket-search";
import { failed, type InspectStep, type ListenerReport, NOT_REACHED, passed, type StepOutcome, step } from "../report";
import { shellCommand } from "../../base/shell-command";
import { quote } from "../../base/text";

/** Where to look at processes and control groups. */
export type ListenerView = Pick<NodeView, "procDir" | "uid" | "root" | "kubeletDirs">;

/** The process that listens, and its state. */
export interface ListenerSteps {
  readonly steps: readonly InspectStep[];
  /** Whether somebody listens, as far as /proc tells; undefined if it cannot be told. */
  readonly listens: boolean | undefined;
  readonly pid?: number;
  readonly pod?: Pod | undefined;
}

/** How long a search for listeners may take, in milliseconds: `list` runs it after the drivers have answered. */
const LIST_BOUND_MS = 800;
const INSPECT_BOUND_MS = 5_000;

/**
 * Who listens on each socket, for the rows of `list`, by the socket's `fileId`. It is `cut` if the time was up before
 * every process had been looked at. Never rejects.
 */
export async function reportListeners(view: ListenerView, sockets: readonly NodeSocket[]) {
  const searches = await findListeners(view, { sockets, boundMs: LIST_BOUND_MS, everyHolder: false });
  const found = sockets.flatMap(({ fileId }, index) => {
    const search = searches[index];
    return search?.kind === "found" ? [{ fileId, pid: search.pids[0] }] : [];
  });
  const slices = startSlices(LIST_BOUND_MS);
  // One process may listen on many sockets, and have many threads.
  const reportFor = once((pid: number) => reportOn(view, pid));
  const byFileId = new Map<string, ListenerReport>();
  for await (const slice of slices.of(found))
    for (const { fileId, pid } of slice) {
      const report = reportFor(pid);
      if (report !== undefined) byFileId.set(fileId, report);
    }
  const cut = searches.some((search) => search.kind === "unknown" && search.why === "cut");
  return { byFileId, cut: cut || slices.wasCut() };
}

function reportOn({ procDir, root, kubeletDirs }: ListenerView, pid: number): ListenerReport | undefined {
  const process = describeProcess(procDir, pid);
  if (process === undefined) return undefined;
  const pod = findPod(root, process.cgroups, kubeletDirs);
  return {
    pid,
    command: process.name,
    state: process.blocked[0]?.state ?? process.state,
    namespace: pod?.namespace,
    pod: pod?.name,
    container: pod?.container,
  };
}

/** Finds who listens on a socket, without a connection to it, and describes that process. Never rejects. */
export async function takeListenerSteps(view: ListenerView, socket: NodeSocket): Promise<ListenerSteps> {
  const begun = performance.now();
  const question = { sockets: [socket], boundMs: INSPECT_BOUND_MS, everyHolder: true };
  const [search = NOT_LOOKED] = await findListeners(view, question);
  const elapsedMs = performance.now() - begun;
  if (search.kind !== "found") {
    const steps = [step("listener", notFound(search), elapsedMs), step("process", NOT_REACHED)];
    return { steps, listens: search.kind === "nobody" ? false : undefined };
  }
  const { pids, boundPath } = search;
  const [pid] = pids;
  const { procDir } = view;
  const process = await describeTwice(procDir, pid);
  const pod = process && findPod(view.root, process.cgroups, view.kubeletDirs);
  const details = [
    `pid ${pid}${process === undefined ? "" : ` ${quote(process.name)}`}`,
    ...(boundPath === socket.path ? [] : [`bound as ${boundPath}`]),
    ...(pids.length > 1 ? [`held by ${pids.length} processes`] : []),
    ...(process === undefined ? [] : podDetails(pod)),
  ];
  const found = step("listener", passed(details), elapsedMs);
  if (process === undefined) {
    const gone = failed(["it has just ended"], "try again");
    return { steps: [found, step("process", gone)], listens: undefined };
  }
  return { steps: [found, step("process", judgeProcess(process, view))], listens: true, pid, pod };
}

/** How long a thread must be in state D to be said to hang, in milliseconds. */
const HANG_MS = 200;

async function describeTwice(procDir: string, pid: number): Promise<ProcessFacts | undefined> {
  const first = describeProcess(procDir, pid);
  if (first === undefined || first.blocked.length === 0) return first;
  await Bun.sleep(HANG_MS);
  const second = describeProcess(procDir, pid);
  return second && withoutShortWaits(first, second);
}

const NOT_LOOKED: ListenerSearch = { kind: "unknown", why: "cut" };

function notFound(search: Exclude<ListenerSearch, { readonly kind: "found" }>): StepOutcome {
  switch (search.kind) {
    case "nobody":
      return failed([LEFT_BEHIND], "see why the driver is not running", PODS);
    case "doubtful":
      return { kind: "absent", details: [`cannot be told: ${doubtText(search)}`] };
    case "unknown":
      return { kind: "absent", details: [`cannot be told: ${UNKNOWN[search.why]}`] };
    case "notPermitted":
      return { kind: "notPermitted", needs: search.needs };
  }
  return search satisfies never;
}

const LEFT_BEHIND = "nobody listens: the socket was left by a process that has ended";

const UNKNOWN = {
  mount: "whoever may listen has mounts that are not touched",
  cut: "the time was over before all processes had been looked at",
} as const;

function doubtText({ why, pids }: Extract<ListenerSearch, { readonly kind: "doubtful" }>): string {
  const named = pids.slice(0, MAX_NAMED).map((pid) => `pid ${pid}`);
  const who = [...named, ...(pids.length > MAX_NAMED ? ["others"] : [])].join(" and ");
  switch (why) {
    case "several":
      return `${who} listen on sockets of this path, and only one of them on this file`;
    case "forged":
      return `the kernel's table names ${who}, in a line that another process may have forged`;
    case "stranger":
      return `${who} may listen here, but the file belongs to another user`;
  }
  return why satisfies never;
}

const MAX_NAMED = 3;

function podDetails(pod: Pod | undefined): readonly string[] {
  if (pod === undefined) return ["in no pod"];
  const { namespace, name, container, uid } = pod;
  if (namespace === undefined || name === undefined) return [`in the pod with uid ${uid}`];
  return [`in pod ${namespace}/${name}`, ...(container === undefined ? [] : [`container ${container}`])];
}

function judgeProcess(process: ProcessFacts, { root, procDir }: ListenerView): StepOutcome {
  const { pid, state, uid, ageMs, executable } = process;
  const facts = [
    `${state.word} (${state.letter})`,
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(ageMs === undefined ? [] : [`up for ${formatDuration(Math.round(ageMs / 1_000) * 1_000)}`]),
    ...(executable === undefined ? [] : [executable]),
    ...killTexts(root, process.cgroups),
  ];
  const waits = [process, ...process.blocked].flatMap(({ wait }) => wait ?? []);
  const stacks = shellCommand(["cat", `${procDir}/${pid}/task`]);
  if (state.letter === "t")
    return failed(
      facts,
      "it answers nothing until its debugger continues or leaves it; see which process that is",
      shellCommand(["grep", "TracerPid", `${procDir}/${pid}/status`]),
    );
  if (state.letter === "T")
    return failed(facts, "it answers nothing until it is continued", shellCommand(["kill", "-CONT", String(pid)]));
  if (process.blocked.length > 0)
    // What it waits for comes first: the state is that of its first thread, which may sleep while another one hangs.
    return failed(
      [...new Set(waits), ...facts],
      "no signal ends it until what it waits for is mended; see where it hangs in the kernel",
      stacks && `${stacks}/*/stack`,
    );
  if (state.letter === "Z")
    return failed(
      facts,
      "it has ended, and its parent has not noticed; see which process that is",
      shellCommand(["ps", "-o", "ppid=", "-p", String(pid)]),
    );
  return passed(facts);
}

function killTexts(root: Root, cgroups: readonly Cgroup[]): readonly string[] {
  const { container, pod } = readOomKills(root, cgroups);
  const { podUid } = containerIdsOf(cgroups);
  const inContainer = killText(container, "its container");
  // In version 1 the count ends with the container, and a driver that is killed is the end of it.
  return pod === undefined && podUid !== undefined
    ? [...inContainer, ...killText(countLoggedOomKills(readKernelLog(), podUid), "its pod by the kernel's log")]
    : [...inContainer, ...killText(pod, "its pod")];
}

function killText(kills: number | undefined, where: string): readonly string[] {
  if (kills === undefined || kills === 0) return [];
  return [`${kills === 1 ? "1 out-of-memory kill" : `${kills} out-of-memory kills`} in ${where}`];
}
