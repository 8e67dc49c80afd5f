import { oneLine } from "../base/text";
import { type DriverView, whyNotReady } from "./driver-record";
import type { Incident } from "./incidents/incident";
import type { DriverTable } from "./driver-table";
import type { IncidentStore } from "./incidents/incident-store";
import { renderIncidentPage } from "./page/incident-page";
import { renderNodePage } from "./page/node-page";
import { SCRIPT_PATH } from "./page/page";
import { compileScript } from "./page/script" with { type: "macro" };
import { CONTENT_SECURITY_POLICY } from "./page/style";
import type { Watch } from "./watch";

/** What is served. Everything but `metrics` shows what the node's drivers do, and says. */
export type Serving = "all" | "metrics";

export interface MonitorRoutesOptions {
  readonly watch: Pick<Watch, "sinceScanMs"> & { readonly table: Pick<DriverTable, "drivers" | "hasSeen"> };
  readonly incidents: IncidentStore;
  /** Undefined is not known. */
  readonly nodeName: string | undefined;
  readonly intervalMs: number;
  readonly serving: Serving;
  readonly answerMetrics: (request: Request) => Response;
  readonly documents: Documents;
  readonly wallMs: () => number;
}

/** Makes the JSON documents of `docs/output.schema.json`. */
export interface Documents {
  readonly drivers: () => string;
  readonly incidents: (incidents: readonly Incident[]) => string;
  readonly incident: (incident: Incident) => string;
}

/** The loop turns where the node was looked through within so many intervals. */
const INTERVALS_OF_A_BEAT = 3;

/** A line with the reasons of many drivers is cut to this, in bytes. */
const MAX_LINE_BYTES = 4_096;

/** Answers from what is known: a request asks no driver. */
export function createMonitorHandler(options: MonitorRoutesOptions): (request: Request) => Response {
  return (request) => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return text(405, "only GET and HEAD are answered here\n", { Allow: "GET, HEAD" });
    // Bun answers HEAD with the headers alone.
    return route(pathOf(request), request, options);
  };
}

function route(path: readonly string[] | undefined, request: Request, options: MonitorRoutesOptions): Response {
  if (path === undefined) return text(400, "malformed path\n");
  const [first, second, third, fourth] = path;
  if (first === "readyz" && path.length <= 2) return answerReadiness(second, options.watch);
  if (path.length === 1 && first === "healthz") return answerHealth(options);
  if (path.length === 1 && first === "metrics") return options.answerMetrics(request);
  if (options.serving === "all" && first === "api" && second === "v1") {
    const { documents, incidents } = options;
    if (path.length === 3 && third === "drivers") return uncached("application/json", documents.drivers());
    if (path.length === 3 && third === "incidents")
      return uncached("application/json", documents.incidents(incidents.all()));
    const incident = path.length === 4 && third === "incidents" ? incidents.get(fourth ?? "") : undefined;
    if (incident !== undefined) return uncached("application/json", documents.incident(incident));
  }
  return (options.serving === "all" ? page(path, options) : undefined) ?? text(404, "404 page not found\n");
}

const SCRIPT = compileScript();

/** What is there for people. */
function page(path: readonly string[], options: MonitorRoutesOptions): Response | undefined {
  const { watch, incidents, nodeName, wallMs } = options;
  const [first, second = ""] = path;
  if (path.length === 1 && first === "")
    return htmlResponse(renderNodePage(watch.table.drivers(), incidents.all(), wallMs(), nodeName));
  if (path.length === 1 && `/${first}` === SCRIPT_PATH) return uncached("text/javascript; charset=utf-8", SCRIPT);
  const incident = path.length === 2 && first === "incidents" ? incidents.get(second) : undefined;
  return incident && htmlResponse(renderIncidentPage(incident, wallMs(), nodeName));
}

function answerHealth({ watch, intervalMs }: MonitorRoutesOptions): Response {
  const sinceMs = watch.sinceScanMs();
  if (sinceMs <= INTERVALS_OF_A_BEAT * intervalMs) return text(200, "ok");
  return text(500, `the node was last looked through ${Math.round(sinceMs / 1_000)}s ago`);
}

function answerReadiness(name: string | undefined, { table }: MonitorRoutesOptions["watch"]): Response {
  const drivers = table.drivers().filter(({ report }) => report.outcome.kind !== "notCsi");
  if (name === undefined) return answerAll(drivers);
  const driver = drivers.filter(({ names, label }) => names.has(name) || label === name).toSorted(byClaim(name))[0];
  if (driver !== undefined) {
    const { outcome } = driver.report;
    return text(outcome.kind === "ready" ? 200 : 500, oneLine(whyNotReady(outcome), MAX_LINE_BYTES));
  }
  return table.hasSeen(name) ? text(500, "the driver is gone") : text(404, "no such driver was seen\n");
}

/** Of several that are called so, the one that keeps the name counts. */
function byClaim(name: string): (one: DriverView, other: DriverView) => number {
  return (one, other) => Number(other.label === name) - Number(one.label === name);
}

function answerAll(drivers: readonly DriverView[]): Response {
  // Without a driver, nothing is ready: a node that has just started has none yet.
  if (drivers.length === 0) return text(500, "no CSI driver was found");
  const others = drivers.filter(({ report }) => report.outcome.kind !== "ready");
  if (others.length === 0) return text(200, "ok");
  const reasons = others.map(({ label, report }) => `${label}: ${whyNotReady(report.outcome)}`);
  return text(
    500,
    oneLine(`${others.length} of ${drivers.length} drivers are not ready: ${reasons.join("; ")}`, MAX_LINE_BYTES),
  );
}

/** The parts of a path between its slashes; undefined where it cannot be decoded. */
function pathOf(request: Request): readonly string[] | undefined {
  const [, path = "/"] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(request.url) ?? [];
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", ...headers },
  });
}

function htmlResponse(body: string): Response {
  const headers = { "Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "no-referrer" };
  return uncached("text/html; charset=utf-8", body, headers);
}

function uncached(type: string, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    headers: { "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", ...headers },
  });
}
