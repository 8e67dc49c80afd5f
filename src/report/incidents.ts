import { formatDuration } from "../base/duration";
import { attempt, errorCode, errorText } from "../base/errors";
import { readNames } from "../base/reads";
import { readMounts } from "../node/mounts";
import { createRoot, resolutionText } from "../node/rooted-path";
import { failureText, readRegularFile } from "./files";

/**
 * Incidents of `livenessprobe monitor`, each a document of the kind `Incident`, the newest first; and what could not be
 * read, in sentences.
 */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  readonly notes: readonly string[];
}

interface Incident {
  readonly id: string;
}

/** How many are in a report: the newest. */
const MAX_INCIDENTS = 20;
/** A document of a monitor is smaller. */
const MAX_BYTES = 1_048_576;

/**
 * Reads the last incidents from a monitor's HTTP API and from the directory of its files. An incident that is in both
 * is taken from its file, which has the container's log too. Never rejects.
 *
 * @param monitor `host:port`; undefined is none
 * @param directory as this process sees it; undefined is none
 * @param timeoutMs for all that is asked of the monitor
 */
export async function findIncidents(
  monitor: string | undefined,
  directory: string | undefined,
  timeoutMs: number,
): Promise<FoundIncidents> {
  const served = monitor === undefined ? NONE : await fromMonitor(monitor, timeoutMs);
  const filed = directory === undefined ? NONE : fromFiles(directory);
  const byId = new Map([...served.incidents, ...filed.incidents].map((incident) => [incident.id, incident]));
  const incidents = [...byId.values()].toSorted((one, other) => (one.id < other.id ? 1 : -1)).slice(0, MAX_INCIDENTS);
  return { incidents, notes: [...served.notes, ...filed.notes] };
}

const NONE: FoundIncidents = { incidents: [], notes: [] };

async function fromMonitor(address: string, timeoutMs: number): Promise<FoundIncidents> {
  const signal = AbortSignal.timeout(timeoutMs);
  const incidents: Incident[] = [];
  try {
    const list = await getDocument(`http://${address}/api/v1/incidents`, signal);
    for (const id of idsIn(list).slice(0, MAX_INCIDENTS)) {
      const url = `http://${address}/api/v1/incidents/${encodeURIComponent(id)}`;
      // oxlint-disable-next-line no-await-in-loop -- the monitor has other things to do
      const incident = asIncident(await getDocument(url, signal));
      if (incident !== undefined) incidents.push(incident);
    }
    return { incidents, notes: [] };
  } catch (error) {
    const why = signal.aborted ? `it does not answer within ${formatDuration(timeoutMs)}` : whyUnread(error);
    return { incidents, notes: [`no incidents of a monitor at ${address}: ${why}`] };
  }
}

function whyUnread(error: unknown): string {
  if (["ConnectionRefused", "ECONNREFUSED"].includes(errorCode(error) ?? "")) return "nobody listens there";
  return error instanceof SyntaxError ? "its answer is no JSON" : errorText(error);
}

/** @throws where it cannot be had in time, is too large, or is no JSON */
async function getDocument(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "manual", keepalive: false });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new Error(`it answers with more than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString());
}

function idsIn(list: unknown): readonly string[] {
  if (!isOurs(list, "IncidentList") || !("items" in list) || !Array.isArray(list.items))
    throw new Error("its answer is no IncidentList");
  return list.items.flatMap((item: unknown) =>
    typeof item === "object" && item !== null && "id" in item && typeof item.id === "string" ? [item.id] : [],
  );
}

function isOurs(document: unknown, kind: string): document is object {
  if (typeof document !== "object" || document === null) return false;
  return (
    "apiVersion" in document &&
    document.apiVersion === "livenessprobe/v1" &&
    "kind" in document &&
    document.kind === kind
  );
}

/** The members of an incident without those that say what kind of document it is; undefined where it is none. */
function asIncident(document: unknown): Incident | undefined {
  if (!isOurs(document, "Incident") || !("id" in document) || typeof document.id !== "string") return undefined;
  if (isDeeperThan(MAX_DEPTH, document)) return undefined;
  const { apiVersion: _, kind: __, ...incident } = { apiVersion: "", kind: "", ...document, id: document.id };
  return incident;
}

/** Twice as deep as an incident: other documents could take the whole stack. */
const MAX_DEPTH = 10;

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

// As monitor names them.
const FILE = /^incident-[\dTZ.-]+\.json$/;

function fromFiles(directory: string): FoundIncidents {
  const none = (why: string): FoundIncidents => ({ incidents: [], notes: [`no incidents of ${directory}: ${why}`] });
  const mounts = readMounts("/proc/self/mountinfo");
  if (mounts === undefined) return none("it is not known what is mounted there");
  const found = createRoot("/", mounts).resolve(directory);
  if (found.kind !== "found") return none(resolutionText(found));
  const names = readNames(found.outerPath);
  if (names.kind !== "read") return none(failureText(names));
  const notes: string[] = [];
  const newest = names.value.filter((name) => FILE.test(name)).toSorted();
  const incidents = newest.slice(-MAX_INCIDENTS).flatMap((name) => {
    const read = readRegularFile(`${found.outerPath}/${name}`, MAX_BYTES);
    const incident = read.kind === "read" ? asIncident(attempt(() => JSON.parse(read.value) as unknown)) : undefined;
    if (incident !== undefined) return [incident];
    const why = read.kind === "read" ? "it is no document of an incident" : failureText(read);
    notes.push(`no incident in ${directory}/${name}: ${why}`);
    return [];
  });
  return { incidents, notes };
}
