import { type Asker, type DriverAnswers, questionDriver } from "./questions";
import { reportDriver, reportElsewhere } from "./driver-report";
import { reportListeners } from "./steps/listener";
import type { NodeView } from "./node-view";
import { askRegistration, isCsiRegistration, isRegistrationSocket, type Registration } from "./registrations";
import type { DriverOutcome, DriverReport, NodeReport } from "./report";
import { absentText, deniedPaths, lookedText, unseenNotes, withoutSocketNote } from "./survey-notes";
import { formatDuration } from "../base/duration";
import { createSlots } from "../node/descriptors";
import type { NodeSocket } from "../node/socket-search";

export interface SurveyOptions extends Asker {
  /** Only drivers of this name; all of them where undefined. */
  readonly driver: string | undefined;
  /** Whether capabilities are asked for too. */
  readonly wide: boolean;
  readonly onProgress: (asked: number, total: number) => void;
}

/**
 * Asks every driver of a node, as many at once as file descriptors allow. Looks for the listening processes when all
 * have answered: on a busy node that keeps this thread for longer than a driver may take. Never rejects.
 */
export async function surveyNode(node: NodeView, options: SurveyOptions): Promise<NodeReport> {
  const { asked, registrations } = await askAll(node, options);
  const { driver: wanted, probeTimeoutMs } = options;
  const listeners = await reportListeners(
    node,
    asked.map(({ socket }) => socket),
  );
  const seen = { registrations, node, probeTimeoutMs };
  const all = [
    ...asked.map(({ socket, answers }) =>
      reportDriver(socket, answers, { ...seen, listener: listeners.byFileId.get(socket.fileId) }),
    ),
    ...reportElsewhere(registrations),
  ];
  const chosen = wanted === undefined ? all : all.filter(({ names }) => names.has(wanted));
  const unseen = unseenNotes(node, registrations);
  const drivers = chosen.map(({ report }) => report).toSorted(byUrgency);
  const withoutSocket = withoutSocketNote(node, all, wanted);
  return {
    drivers,
    looked: node.kubelets.lookedIn.map((place) => lookedText(place, node.search)),
    notes: [
      ...unseen,
      ...withoutSocket,
      ...(listeners.cut ? ["the time was over before all processes had been looked at for who listens"] : []),
      ...chosen.flatMap(({ notes }) => notes),
    ],
    complete: unseen.length === 0,
    denied: deniedPaths(node),
    absent:
      wanted === undefined || drivers.length > 0 || withoutSocket.length > 0 ? undefined : absentText(wanted, all),
  };
}

interface Asked {
  readonly socket: NodeSocket;
  readonly answers: DriverAnswers;
}

/** If a registrar takes longer, in milliseconds, the driver that it names does not get the whole timeout. */
const GRACE_MS = 500;

/** Drivers are asked while registrars are: a registrar that hangs delays nobody. Each socket is asked once. */
async function askAll(node: NodeView, options: SurveyOptions) {
  const slots = createSlots();
  const byFileId = new Map<string, Promise<Asked>>();
  let answered = 0;
  const answersOf = async (socket: NodeSocket, registrarMs: number): Promise<Asked> => {
    const { outerPath: connectPath, path: socketPath, fileId } = socket;
    // The whole survey ends within one timeout and a second, however late a registrar names a driver.
    const probeTimeoutMs = options.probeTimeoutMs - Math.max(0, registrarMs - GRACE_MS);
    const question = { connectPath, fileId, socketPath, probeTimeoutMs, wide: options.wide };
    const answers = await slots.use(() => questionDriver(question));
    answered += 1;
    options.onProgress(answered, byFileId.size);
    return { socket, answers: registrarMs > GRACE_MS ? withoutVerdict(answers, registrarMs) : answers };
  };
  const ask = (socket: NodeSocket, registrarMs: number): void => {
    if (!byFileId.has(socket.fileId)) byFileId.set(socket.fileId, answersOf(socket, registrarMs));
  };
  const asking = node.search.sockets.filter(isRegistrationSocket).map(async (socket) => {
    const [registration, tookMs] = await slots.use(async () => {
      const begun = performance.now();
      return [await askRegistration(socket, node, options.probeTimeoutMs), performance.now() - begun] as const;
    });
    for (const announced of announcedBy(registration)) ask(announced, tookMs);
    return registration;
  });
  for (const socket of node.search.sockets) if (!isRegistrationSocket(socket)) ask(socket, 0);
  options.onProgress(0, byFileId.size);
  const registrations = await Promise.all(asking);
  return { registrations, asked: await Promise.all(byFileId.values()) };
}

/** A driver that had less than the whole timeout has neither hung in it nor failed because it ended. */
function withoutVerdict(answers: DriverAnswers, registrarMs: number): DriverAnswers {
  const { outcome } = answers;
  if (outcome.kind !== "failed" || !(outcome.reason === "hung" || outcome.reason === "rpc_error")) return answers;
  const took = formatDuration(Math.round(registrarMs));
  const message = `its registration socket took ${took}, and it did not succeed in the time that was left; try again`;
  return { ...answers, connectMs: undefined, callMs: undefined, outcome: { kind: "notAsked", message } };
}

/** The sockets that a registrar adds. */
export function announcedBy(registration: Registration): readonly NodeSocket[] {
  if (registration.kind === "silent") return [];
  if (registration.kind === "other") return [registration.socket];
  const { target } = registration;
  return isCsiRegistration(registration) && target.kind === "socket" ? [target.socket] : [];
}

/** Drivers that need attention come first, what is not a driver last. */
const URGENCY: readonly DriverOutcome["kind"][] = ["failed", "notReady", "notAsked", "ready", "notCsi"];

export function byUrgency(one: DriverReport, other: DriverReport): number {
  const [before, after] = [one, other].map(({ outcome, slow }) => URGENCY.indexOf(outcome.kind) - (slow ? 0.5 : 0));
  return (before ?? 0) - (after ?? 0) || (one.socket < other.socket ? -1 : 1);
}
