import type { Surveyed } from "../inspection/driver-report";
import type { NodeReport } from "../inspection/report";
import { absentText, deniedPaths, lookedText, unseenNotes, withoutSocketNote } from "../inspection/survey-notes";
import { announcedBy, byUrgency } from "../inspection/survey";
import { driverDirectoryOf, type NodeView } from "../inspection/node-view";
import { attempt } from "../base/errors";
import { isRegistrationSocket, type Registration, targetOf } from "../inspection/registrations";
import { holdWithoutLinks } from "../node/held-file";
import type { FoundSocket, NodeSocket } from "../node/socket-search";
import type { RegistrarAnswer } from "./ask";

/** So many sockets are watched of one driver's directory: whoever fills its own leaves out no other driver. */
export const MAX_SOCKETS_PER_DIRECTORY = 8;
/** And so many in all. */
export const MAX_SOCKETS = 256;

/** The sockets of a node that may be drivers', and those that announce drivers. */
export interface NodeSockets {
  readonly registry: readonly FoundSocket[];
  readonly registrations: readonly Registration[];
  readonly drivers: readonly NodeSocket[];
  /** How many sockets are not watched because there are too many. */
  readonly leftOut: number;
}

/** What came of asking a registration socket, by its `fileId`; undefined where it has not answered. */
export type AnswerOf = (fileId: string) => Exclude<RegistrarAnswer, { readonly kind: "silent" }> | undefined;

export function socketsOf(node: NodeView, answerOf: AnswerOf): NodeSockets {
  const { sockets } = node.search;
  const registry = sockets.filter(isRegistrationSocket);
  const registrations = registry.map((socket): Registration => {
    const answer = answerOf(socket.fileId);
    if (answer === undefined) return { kind: "silent", socket, why: "did not answer" };
    if (answer.kind === "other") return { kind: "other", socket };
    return { kind: "told", socket, info: answer.info, target: targetOf(answer.info, socket, node) };
  });
  const found: readonly NodeSocket[] = [
    ...sockets.filter((socket) => !isRegistrationSocket(socket)),
    ...registrations.flatMap(announcedBy),
  ];
  const each = [...Map.groupBy(found, ({ fileId }) => fileId).values()].flatMap((same) => same.slice(0, 1));
  const byDirectory = Map.groupBy(each, ({ path }) => driverDirectoryOf(node, path) ?? "");
  const drivers = [...byDirectory]
    .flatMap(([directory, all]) => (directory === "" ? all : all.slice(0, MAX_SOCKETS_PER_DIRECTORY)))
    .slice(0, MAX_SOCKETS);
  return { registry, registrations, drivers, leftOut: each.length - drivers.length };
}

/**
 * When a socket's file was made, in nanoseconds: a file system may give the number of a file that was removed to the
 * next one (ext4 does so at once). Undefined where another file is there by now.
 */
export function birthOf({ outerPath, fileId }: NodeSocket): bigint | undefined {
  using file = attempt(() => holdWithoutLinks(outerPath));
  return file?.fileId === fileId ? file.stats.birthtimeNs : undefined;
}

const NOTHING_SEEN = { complete: false, denied: [], absent: undefined } as const;

export interface Scanned {
  readonly node: NodeView;
  readonly registrations: readonly Registration[];
  readonly leftOut: number;
}

/**
 * As `list` reports a node.
 *
 * @param all what is there
 * @param wanted only the driver of this name; all of them where undefined
 */
export function reportNode(
  all: readonly Surveyed[],
  wanted: string | undefined,
  scanned: Scanned | undefined,
): NodeReport {
  if (scanned === undefined) return { ...NOTHING_SEEN, drivers: [], looked: [], notes: [] };
  const { node, registrations, leftOut } = scanned;
  const surveyed = wanted === undefined ? all : all.filter(({ names }) => names.has(wanted));
  const withoutSocket = withoutSocketNote(node, all, wanted);
  const unseen = unseenNotes(node, registrations);
  const tooMany = leftOut === 0 ? [] : [`${leftOut} sockets are not watched, because there are too many`];
  return {
    drivers: surveyed.map(({ report }) => report).toSorted(byUrgency),
    looked: node.kubelets.lookedIn.map((place) => lookedText(place, node.search)),
    notes: [...surveyed.flatMap(({ notes }) => notes), ...unseen, ...withoutSocket, ...tooMany],
    complete: unseen.length === 0 && leftOut === 0,
    denied: deniedPaths(node),
    absent:
      wanted === undefined || surveyed.length > 0 || withoutSocket.length > 0 ? undefined : absentText(wanted, all),
  };
}
