import { type DriverAnswers, questionDriver } from "./questions";
import { type Surveyed, reportDriver, reportElsewhere } from "./driver-report";
import type { ListenerReports } from "./listener-steps";
import type { NodeSocket, NodeView } from "./node-view";
import { askRegistration, CSI_PLUGIN, type Registration } from "./registrations";
import type { DriverOutcome, DriverReport, NodeReport } from "./report";
import type { SocketFile } from "../driver/socket-file";
import { isUnseen, lookedText, skippedText, unseenText } from "./survey-notes";

export interface SurveyOptions {
  /** Only drivers of this name; all of them where undefined. */
  readonly driver: string | undefined;
  readonly probeTimeoutMs: number;
  readonly userAgent: string;
  readonly uid: number;
  readonly lookAtSocketFile: (path: string) => SocketFile;
  /** Who listens on each socket, as far as it can be told. */
  readonly findListeners: (sockets: readonly NodeSocket[]) => Promise<ListenerReports>;
  /** Whether capabilities are asked for too. */
  readonly wide: boolean;
  readonly onProgress: (asked: number, total: number) => void;
}

/**
 * Asks every driver of a node, all side by side, each over one connection at a time; then, when all have answered, looks for
 * who listens: on a busy node that takes this thread for longer than a driver may take to answer. Never rejects.
 */
export async function surveyNode(node: NodeView, options: SurveyOptions): Promise<NodeReport> {
  const { asked, registrations } = await askAll(node, options);
  const { driver: wanted, probeTimeoutMs } = options;
  const listeners = await options.findListeners(asked.map(({ socket }) => socket));
  const all = [
    ...asked.map(({ socket, answers }) =>
      reportDriver(socket, answers, {
        listener: listeners.byFileId.get(socket.fileId),
        registrations,
        node,
        probeTimeoutMs,
      }),
    ),
    ...reportElsewhere(registrations),
  ];
  const chosen = wanted === undefined ? all : all.filter(({ names }) => names.has(wanted));
  const unseen = unseenNotes(node, registrations);
  return {
    drivers: chosen.map(({ report }) => report).toSorted(byUrgency),
    looked: node.kubelets.lookedIn.map((place) => lookedText(place, node.search)),
    notes: [...othersNote(chosen, all), ...chosen.flatMap(({ notes }) => notes), ...unseen, ...cutNote(listeners)],
    complete: unseen.length === 0,
  };
}

interface Asked {
  readonly socket: NodeSocket;
  readonly answers: DriverAnswers;
}

/** Drivers are asked while registrars are: one that hangs must not make the others wait. */
async function askAll(node: NodeView, options: SurveyOptions) {
  const { sockets } = node.search;
  const questions = createQuestions(options);
  for (const socket of sockets) if (socket.directory !== "plugins_registry") questions.ask(socket);
  options.onProgress(0, questions.asked().length);
  const registry = sockets.filter(({ directory }) => directory === "plugins_registry");
  const registrations = await Promise.all(registry.map(async (socket) => askRegistration(socket, node, options)));
  for (const socket of registrations.flatMap(announcedBy)) questions.ask(socket);
  const asked = await Promise.all(
    questions.asked().map(async ({ socket, answers }): Promise<Asked> => ({ socket, answers: await answers })),
  );
  return { asked, registrations };
}

interface Question {
  readonly socket: NodeSocket;
  readonly answers: Promise<DriverAnswers>;
}

/** Asks each socket once, whatever paths lead to it. */
function createQuestions(options: SurveyOptions) {
  const byFileId = new Map<string, Question>();
  let answered = 0;
  const ask = (socket: NodeSocket): void => {
    if (byFileId.has(socket.fileId)) return;
    const asking = questionDriver({
      ...options,
      connectPath: socket.outerPath,
      fileId: socket.fileId,
      socketPath: socket.path,
    });
    const answers = asking.then((result) => {
      answered += 1;
      options.onProgress(answered, byFileId.size);
      return result;
    });
    byFileId.set(socket.fileId, { socket, answers });
  };
  return { ask, asked: () => [...byFileId.values()] };
}

/** What a registrar adds to the sockets that may be a driver's. */
function announcedBy(registration: Registration): readonly NodeSocket[] {
  switch (registration.kind) {
    case "told": {
      const { info, target } = registration;
      return info.type === CSI_PLUGIN && target.kind === "socket" ? [target.socket] : [];
    }
    case "other":
      return [registration.socket];
    case "silent":
      return [];
  }
  return registration satisfies never;
}

/** What may have hidden a driver. */
function unseenNotes({ kubelets, search }: NodeView, registrations: readonly Registration[]): readonly string[] {
  const silent = registrations.flatMap(({ kind, socket }) =>
    kind === "silent" ? [`registration socket ${socket.path} did not answer, so what it announces is not known`] : [],
  );
  const places = kubelets.lookedIn.filter(isUnseen).map((place) => unseenText(place, search));
  return [...places, ...silent, ...search.skipped.map(skippedText)];
}

function othersNote(chosen: readonly Surveyed[], all: readonly Surveyed[]): readonly string[] {
  return chosen.length === 0 && all.length > 0 ? [`${all.length} other sockets were found`] : [];
}

function cutNote({ cut }: ListenerReports): readonly string[] {
  return cut ? ["this node has too many processes to look at all of them for who listens"] : [];
}

/** What needs a person first, and what is no driver last. */
const URGENCY: readonly DriverOutcome["kind"][] = ["failed", "notReady", "notAsked", "ready", "notCsi"];

function byUrgency(one: DriverReport, other: DriverReport): number {
  const [before, after] = [one, other].map(({ outcome, slow }) => URGENCY.indexOf(outcome.kind) - (slow ? 0.5 : 0));
  return (before ?? 0) - (after ?? 0) || (one.socket < other.socket ? -1 : 1);
}
