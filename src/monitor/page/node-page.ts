import { type DriverView, whyNotReady } from "../driver-record";
import type { Incident } from "../incidents/incident";
import { MINUTES, type MinuteState } from "./history";
import { type Html, html } from "./html";
import { instant, lastedText, podText, renderPage, type Row, table } from "./page";

/** The drivers of the node, and the last incidents. */
export function renderNodePage(
  drivers: readonly DriverView[],
  incidents: readonly Incident[],
  wallMs: number,
  nodeName = "this node",
): string {
  const watched = drivers.filter(({ report }) => report.outcome.kind !== "notCsi");
  const ready = watched.filter(({ report }) => report.outcome.kind === "ready").length;
  const count = `${ready} of ${watched.length} ready`;
  return renderPage({
    title: `${count}: CSI drivers of ${nodeName}`,
    heading: html`CSI drivers of ${nodeName}
      <span class="state ${ready === watched.length ? "ready" : "failed"}">${count}</span>`,
    atMs: wallMs,
    body: html`${watched.length === 0 ? html`<p>No CSI driver was found.</p>` : driverTable(watched, wallMs)}
      <h2>Incidents</h2>
      ${incidents.length === 0 ? html`<p>None since this monitor was started.</p>` : incidentTable(incidents)}`,
  });
}

function driverTable(drivers: readonly DriverView[], wallMs: number): Html {
  return table(
    "drivers",
    ["Driver", "State", "Pod", "Registered", "Latency", "Last hour"],
    drivers.map((driver) => driverRow(driver, wallMs)),
  );
}

function driverRow({ label, report, process, registrationSocket, history }: DriverView, wallMs: number): Row {
  const { outcome, vendorVersion, socket, announced } = report;
  const kind = stateOf(outcome.kind);
  const state = outcome.kind === "failed" ? outcome.reason : WORDS[kind];
  const why = outcome.kind === "ready" ? undefined : html`<p>${whyNotReady(outcome)}</p>`;
  return {
    key: socket,
    look: kind,
    cells: [
      html`${label} <small>${vendorVersion}</small><small class="path">${socket}</small>`,
      html`<span class="state ${kind}" data-news="${label}: ${state}">${state}</span>${why}`,
      process === undefined ? html`unknown` : podText(process.listener),
      registered(registrationSocket === undefined ? announced : "yes"),
      latency(history.durations()),
      strip(history.minutes(wallMs)),
    ],
  };
}

/** The kubelet uses no driver that is not registered. */
function registered(announced: DriverView["report"]["announced"]): Html {
  return announced === "no" ? html`<span class="state notReady">no</span>` : html`${announced}`;
}

const WORDS: Readonly<Record<MinuteState, string>> = {
  ready: "ready",
  notReady: "not ready",
  failed: "failed",
  unknown: "unknown",
};

function stateOf(kind: DriverView["report"]["outcome"]["kind"]): MinuteState {
  return kind === "notAsked" || kind === "notCsi" ? "unknown" : kind;
}

const HEIGHT = 24;
const LINE_WIDTH = 120;

/** The last duration in words, and all that are kept as a line. */
function latency(durations: readonly number[]): Html {
  const last = durations.at(-1);
  if (last === undefined) return html`unknown`;
  const most = Math.max(...durations, 1);
  const points = durations.map((ms, index) => {
    const x = durations.length === 1 ? LINE_WIDTH : (index / (durations.length - 1)) * LINE_WIDTH;
    return `${round(x)},${round(HEIGHT - 1 - (ms / most) * (HEIGHT - 2))}`;
  });
  return html`<svg viewBox="0 0 ${LINE_WIDTH} ${HEIGHT}" width="${LINE_WIDTH}" height="${HEIGHT}" aria-hidden="true">
      <polyline points="${points.join(" ")}" />
    </svg>
    <small>${round(last)} ms</small><small>max ${round(Math.max(...durations))} ms</small>`;
}

const MINUTE_WIDTH = 3;

/** A bar for each minute, and how many there are of each state in words. */
function strip(minutes: readonly (MinuteState | undefined)[]): Html {
  const counts = Map.groupBy(minutes, (state) => state);
  const said = [...counts].flatMap(([state, all]) =>
    state === undefined ? [] : [`${WORDS[state]} for ${all.length} min`],
  );
  const width = MINUTES * MINUTE_WIDTH;
  const bars = minutes.flatMap((state, index) =>
    state === undefined
      ? []
      : [html`<rect x="${index * MINUTE_WIDTH}" width="${MINUTE_WIDTH - 1}" ${BARS[state]} class="${state}" />`],
  );
  return html`<svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" class="hour" aria-hidden="true">
      ${bars}
    </svg>
    <small>${said.join(", ") || "nothing known yet"}</small>`;
}

// The height tells what the colour tells, too.
const BARS: Readonly<Record<MinuteState, Html>> = {
  ready: html`y="14" height="10"`,
  unknown: html`y="20" height="4"`,
  notReady: html`y="7" height="17"`,
  failed: html`y="0" height="24"`,
};

function incidentTable(incidents: readonly Incident[]): Html {
  return table("incidents", ["Began", "Driver", "Reason", "Lasted", "What was found"], incidents.map(incidentRow));
}

function incidentRow(incident: Incident): Row {
  const { id, driver, socket, reason, openedAtMs, inspection } = incident;
  return {
    key: id,
    cells: [
      html`<a href="/incidents/${id}">${instant(openedAtMs)}</a>`,
      html`${driver ?? socket}`,
      html`${reason}`,
      lastedText(incident),
      html`${inspection?.verdict}`,
    ],
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
