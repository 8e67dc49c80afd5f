import { existsSync } from "node:fs";
import { join } from "node:path";
import { getRegistrationInfo } from "./csi/registration";
import type { RegistrationInfo } from "./csi/node-messages";
import { type DriverAnswers, questionDriver } from "./driver-questions";
import { ConfigError } from "./errors";
import { findKubeletRoots, type KubeletRoots } from "./node/kubelet-roots";
import { readMounts } from "./node/mounts";
import { openRoot, type Root } from "./node/rooted-path";
import { findRunningRootDirs } from "./node/running-kubelets";
import { findSockets, type FoundSocket, type SocketSearch } from "./node/socket-search";
import type { DriverReport, ListenerReport, NodeReport } from "./report";
import type { SocketFile } from "./socket-file";
import { lookedText, skippedText } from "./survey-notes";

export interface SurveyOptions {
  /** The node's root directory for this process: `/`, or `/host`. */
  readonly rootDir: string;
  /** The values of `--kubelet-dir`. */
  readonly kubeletDirs: readonly string[];
  /** Only drivers of this name; all of them where undefined. */
  readonly driver: string | undefined;
  readonly probeTimeoutMs: number;
  readonly userAgent: string;
  readonly uid: number;
  readonly lookAtSocketFile: (path: string) => SocketFile;
  /** Who listens on a socket, as far as it can be told. */
  readonly findListener: (socket: NodeSocket, node: NodeView) => Promise<ListenerReport | undefined>;
  /** Whether capabilities are asked for too. */
  readonly wide: boolean;
  readonly onProgress: (asked: number, total: number) => void;
}

/** A node's file system, opened. */
export interface NodeView {
  readonly root: Root;
  /** `/proc`, or `/host/proc`. */
  readonly procDir: string;
  readonly kubelets: KubeletRoots;
  readonly search: SocketSearch;
}

/** A socket that may be a driver's. */
export interface NodeSocket {
  /** As the kubelet knows it. */
  readonly path: string;
  /** As this process does, without symbolic links. */
  readonly outerPath: string;
  /** `device:inode`. */
  readonly fileId: string;
}

/**
 * Opens a node's file system and finds its sockets; none of them is touched.
 *
 * @throws {ConfigError} where `--root` leads nowhere, or where it cannot be known what is mounted
 */
export async function openNode({
  rootDir,
  kubeletDirs,
}: Pick<SurveyOptions, "rootDir" | "kubeletDirs">): Promise<NodeView> {
  const read = readMounts("/proc/self/mountinfo");
  if (read.kind === "notRead")
    throw new ConfigError(
      `/proc/self/mountinfo cannot be read (${read.code}), so no directory is safe to look into: mount /proc here`,
    );
  const opened = openRoot(rootDir, read.mounts);
  if (opened.kind !== "opened") throw new ConfigError(`--root must be a directory, got ${rootDir}: ${opened.kind}`);
  // Of the node where its own is there: a debug container has one of its own besides.
  const outerProc = join(rootDir, "proc");
  const procDir = existsSync(join(outerProc, "self")) ? outerProc : "/proc";
  const kubelets = findKubeletRoots(opened.root, kubeletDirs, await findRunningRootDirs(procDir));
  return { root: kubelets.root, procDir, kubelets, search: findSockets(kubelets) };
}

/**
 * Asks every driver of a node, all side by side, each over one connection at a time.
 *
 * @throws {ConfigError} as `openNode`
 */
export async function surveyNode(options: SurveyOptions): Promise<NodeReport> {
  const node = await openNode(options);
  const { driver, onProgress } = options;
  const questions = createQuestions(options);
  const { sockets } = node.search;
  // Drivers are asked while registrars are: one that hangs must not make the others wait.
  for (const socket of sockets) if (socket.directory !== "plugins_registry") questions.ask(socket);
  onProgress(0, questions.asked().length);
  const registry = sockets.filter(({ directory }) => directory === "plugins_registry");
  const registrations = await Promise.all(registry.map(async (socket) => askRegistration(socket, node, options)));
  for (const socket of registrations.flatMap(announcedBy)) questions.ask(socket);
  const reports = await Promise.all(
    questions.asked().map(async ({ socket, answers }) => {
      const listener = await options.findListener(socket, node);
      return reportOn(socket, await answers, listener, registrations);
    }),
  );
  const silent = registrations.flatMap(({ kind, socket }) =>
    kind === "silent" ? [`registration socket ${socket.path} did not answer, so what it announces is not known`] : [],
  );
  const drivers = driver === undefined ? reports : reports.filter((report) => isCalled(driver, report));
  const others = drivers.length === 0 && reports.length > 0 ? [`${reports.length} other sockets were found`] : [];
  return {
    drivers: drivers.toSorted(bySocket),
    looked: node.kubelets.lookedIn.map((place) => lookedText(place, node.search)),
    notes: [...others, ...silent, ...node.search.skipped.map(skippedText)],
  };
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
    const asking = questionDriver({ ...options, connectPath: socket.outerPath, socketPath: socket.path });
    const answers = asking.then((result) => {
      answered += 1;
      options.onProgress(answered, byFileId.size);
      return result;
    });
    byFileId.set(socket.fileId, { socket, answers });
  };
  return { ask, asked: () => [...byFileId.values()] };
}

type Registration =
  | {
      readonly kind: "told";
      readonly socket: FoundSocket;
      readonly info: RegistrationInfo;
      readonly target: NodeSocket;
    }
  /** A gRPC server that is no registrar: perhaps a driver that listens in the registry. */
  | { readonly kind: "other"; readonly socket: FoundSocket }
  | { readonly kind: "silent"; readonly socket: FoundSocket };

async function askRegistration(
  socket: FoundSocket,
  { root }: NodeView,
  { probeTimeoutMs: timeoutMs, userAgent }: SurveyOptions,
): Promise<Registration> {
  const outcome = await getRegistrationInfo({ socketPath: socket.outerPath, timeoutMs, userAgent });
  if (outcome.kind !== "asked") return { kind: "silent", socket };
  const { answer } = outcome.call;
  switch (answer.kind) {
    case "answered":
      return { kind: "told", socket, info: answer.response, target: targetOf(answer.response, socket, root) };
    case "unimplemented":
      return { kind: "other", socket };
    case "noAnswer":
    case "notAsked":
      return { kind: "silent", socket };
  }
  return answer satisfies never;
}

/** Where a registrar says that its plugin listens; a registrar without an endpoint is the plugin itself (kubelet, pluginmanager). */
function targetOf({ endpoint }: RegistrationInfo, socket: FoundSocket, root: Root): NodeSocket {
  const path = endpoint.replace(/^unix:(\/\/)?/, "");
  if (path === "") return socket;
  const resolved = root.resolve(path);
  if (resolved.kind !== "found") return { path, outerPath: root.outerPath(path), fileId: `missing:${path}` };
  return { path, outerPath: resolved.outerPath, fileId: resolved.file.fileId };
}

const CSI_PLUGIN = "CSIPlugin";

/** What a registrar adds to the sockets that may be a driver's. */
function announcedBy(registration: Registration): readonly NodeSocket[] {
  switch (registration.kind) {
    case "told":
      return registration.info.type === CSI_PLUGIN ? [registration.target] : [];
    case "other":
      return [registration.socket];
    case "silent":
      return [];
  }
  return registration satisfies never;
}

function reportOn(
  socket: NodeSocket,
  answers: DriverAnswers,
  listener: ListenerReport | undefined,
  registrations: readonly Registration[],
): DriverReport {
  const told = registrations.flatMap((each) => (each.kind === "told" ? [each] : []));
  const registration = told.find(({ target }) => target.fileId === socket.fileId)?.info;
  const unknown = registrations.some(({ kind }) => kind === "silent");
  const isOther = registration !== undefined && registration.type !== CSI_PLUGIN;
  return {
    ...answers,
    socket: socket.path,
    listener,
    outcome: isOther ? { kind: "notCsi", what: registration.type } : answers.outcome,
    driver: answers.driver ?? registration?.name,
    announced: registration !== undefined ? "yes" : unknown ? "unknown" : "no",
  };
}

/** One that does not tell its name is taken for the one that its directory is named after. */
function isCalled(name: string, { driver, socket }: DriverReport): boolean {
  return driver === undefined ? socket.split("/").includes(name) : driver === name;
}

function bySocket(one: DriverReport, other: DriverReport): number {
  return one.socket < other.socket ? -1 : 1;
}
