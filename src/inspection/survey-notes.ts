import { quote } from "../base/text";
import type { LookedIn } from "../node/kubelet-roots";
import { resolutionText } from "../node/rooted-path";
import type { Surveyed } from "./driver-report";
import type { NodeView } from "./node-view";
import type { Registration } from "./registrations";
import { skippedText, type SocketSearch } from "../node/socket-search";

/** Such as `/var/lib/kubelet: 3 sockets`. */
export function lookedText({ path, outcome }: LookedIn, { sockets }: SocketSearch): string {
  if (outcome.kind === "same") return `${path}: the same directory as ${outcome.as}`;
  if (outcome.kind !== "found") return `${path}: ${resolutionText(outcome)}`;
  const count = sockets.filter((socket) => socket.path.startsWith(`${path}/`)).length;
  return `${path}: ${count === 1 ? "1 socket" : `${count} sockets`}`;
}

/** What was left out and may have hidden a driver. */
export function unseenNotes({ kubelets, search }: NodeView, registrations: readonly Registration[]): readonly string[] {
  const silent = registrations.flatMap((each) => (each.kind === "silent" ? [each] : []));
  return [
    ...kubelets.lookedIn.filter(isUnseen).map((place) => `${ORIGIN[place.origin]} ${lookedText(place, search)}`),
    ...grouped(
      silent,
      ({ why }) => why,
      ({ socket, why }) => `registration socket ${socket.path} ${why}, so what it announces is not known`,
      "in the registry",
    ),
    ...[...Map.groupBy(search.skipped, ({ within }) => within)].flatMap(([within, skipped]) =>
      grouped(skipped, ({ kind }) => kind, skippedText, `in ${within}`),
    ),
  ];
}

/** One sentence for each kind, with the count: many of one kind must not hide the others. */
function grouped<T>(
  all: readonly T[],
  kindOf: (each: T) => string,
  textOf: (each: T) => string,
  where: string,
): readonly string[] {
  return [...Map.groupBy(all, kindOf).values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    return [more.length === 0 ? textOf(first) : `${textOf(first)}; the same holds for ${more.length} more ${where}`];
  });
}

/**
 * Whether a place was not looked into that may be a kubelet's. Those that are only known count where they may exist.
 */
function isUnseen({ origin, outcome }: LookedIn): boolean {
  if (outcome.kind === "found" || outcome.kind === "same") return false;
  return origin !== "known" || outcome.kind === "notPermitted";
}

const ORIGIN = { flag: "--kubelet-dir", kubelet: "a kubelet's --root-dir", known: "the usual place" } as const;

/** The directories that are closed to us. */
export function deniedPaths({ kubelets, search }: NodeView): readonly string[] {
  const places = kubelets.lookedIn.flatMap(({ outcome }) => (outcome.kind === "notPermitted" ? [outcome.path] : []));
  const directories = search.skipped.flatMap(({ path, kind }) => (kind === "notPermitted" ? [path] : []));
  return [...new Set([...places, ...directories])];
}

/** That no driver has the wanted name, with the names that there are; undefined where there is no driver at all. */
export function absentText(wanted: string, all: readonly Surveyed[]): string | undefined {
  const drivers = all.map(({ report }) => report).filter(({ outcome }) => outcome.kind !== "notCsi");
  const names = [...new Set(drivers.flatMap(({ driver }) => driver ?? []))].toSorted();
  const nameless = drivers.filter(({ driver }) => driver === undefined).length;
  const others = [...names, ...(nameless === 0 ? [] : [`${nameless} whose name is not known`])];
  return others.length === 0
    ? undefined
    : `No driver called ${quote(wanted)} was found. There are: ${others.join(", ")}`;
}

/**
 * Drivers' directories without a socket. A driver that stops in order removes its socket, and one that was uninstalled
 * leaves its directory for ever. Nothing on the node tells the two apart, so this is a note and changes no exit code.
 */
export function withoutSocketNote(
  { search }: NodeView,
  all: readonly Surveyed[],
  wanted: string | undefined,
): readonly string[] {
  const paths = search.withoutSocket.filter(
    (path) =>
      (wanted === undefined || path.endsWith(`/${wanted}`)) &&
      !all.some(({ report }) => report.socket.startsWith(`${path}/`)),
  );
  if (paths.length === 0) return [];
  const named = [
    ...paths.slice(0, MAX_NAMED),
    ...(paths.length > MAX_NAMED ? [`${paths.length - MAX_NAMED} more`] : []),
  ];
  return [
    `no socket in ${named.join(", ")}: the driver is stopped, or was uninstalled (kubectl get csidriver lists those that are installed)`,
  ];
}

const MAX_NAMED = 3;
