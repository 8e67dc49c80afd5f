import { type DriverView, whyNotReady } from "../driver-record";
import type { Incident } from "../incidents/incident";
import { MINUTES, type MinuteState } from "./history";
import { type Html, html } from "./html";
import { instant, lastedText, podText, renderPage, table } from "./page";

/** The drivers of the node, and the last incidents. */
export function renderNodePage(drivers: readonly DriverView[], incidents: readonly Incident[], wallMs: number): string {
  const watched = drivers.filter(({ report }) => report.outcome.kind !== "notCsi");
  const ready = watched.filter(({ report }) => report.outcome.kind === "ready").length;
  return renderPage(
    "CSI drivers of this node",
    html`<h1>CSI drivers of this node</h1>
      <p>${ready} of ${watched.length} ready at ${instant(wallMs)}.</p>
      ${table(
        "Drivers",
        ["Driver", "State", "Pod", "Registered", "Latency", "Last hour"],
        watched.map((driver) => driverRow(driver, wallMs)),
      )}
      <h2>Incidents</h2>
      ${incidents.length === 0 ? html`<p>None since this monitor was started.</p>` : incidentTable(incidents)}`,
  );
}

function driverRow({ label, report, process, registrationSocket, history }: DriverView, wallMs: number): Html {
  const { outcome, vendorVersion, socket } = report;
  const why = outcome.kind === "ready" ? undefined : html`<small>${whyNotReady(outcome)}</small>`;
  const state = outcome.kind === "failed" ? outcome.reason : WORDS[stateOf(report.outcome.kind)];
  return html`<tr>
    <th scope="row">${label}<small>${vendorVersion}</small><small>${socket}</small></th>
    <td><span class="state ${stateOf(outcome.kind)}">${state}</span>${why}</td>
    <td>${process === undefined ? "unknown" : podText(process.listener)}</td>
    <td>${registrationSocket === undefined ? report.announced : "yes"}</td>
    <td>${latency(history.durations())}</td>
    <td>${strip(history.minutes(wallMs))}</td>
  </tr> `;
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

const WIDTH = 120;
const HEIGHT = 20;

function latency(durations: readonly number[]): Html {
  const last = durations.at(-1);
  if (last === undefined) return html`unknown`;
  const most = Math.max(...durations, 1);
  const points = durations.map((ms, index) => {
    const x = durations.length === 1 ? WIDTH : (index / (durations.length - 1)) * WIDTH;
    return `${round(x)},${round(HEIGHT - 1 - (ms / most) * (HEIGHT - 2))}`;
  });
  return html`${round(last)} ms
    <svg width="${WIDTH}" height="${HEIGHT}" aria-hidden="true"><polyline points="${points.join(" ")}" /></svg>`;
}

function strip(minutes: readonly (MinuteState | undefined)[]): Html {
  const counts = Map.groupBy(minutes, (state) => state);
  const said = [...counts].flatMap(([state, all]) =>
    state === undefined ? [] : [`${WORDS[state]} for ${all.length} min`],
  );
  const width = WIDTH / MINUTES;
  const bars = minutes.flatMap((state, index) =>
    state === undefined ? [] : [html`<rect x="${index * width}" width="${width}" ${BARS[state]} class="${state}" />`],
  );
  return html`<svg
    width="${WIDTH}"
    height="${HEIGHT}"
    role="img"
    aria-label="${said.join(", ") || "nothing known yet"}"
  >
    ${bars}
  </svg>`;
}

// The height tells what the colour tells, too.
const BARS: Readonly<Record<MinuteState, Html>> = {
  ready: html`y="12" height="8"`,
  unknown: html`y="16" height="4"`,
  notReady: html`y="6" height="14"`,
  failed: html`y="0" height="20"`,
};

function incidentTable(incidents: readonly Incident[]): Html {
  return table("Incidents", ["Began", "Driver", "Reason", "Lasted", "What was found"], incidents.map(incidentRow));
}

function incidentRow(incident: Incident): Html {
  return html`<tr>
    <th scope="row"><a href="/incidents/${incident.id}">${instant(incident.openedAtMs)}</a></th>
    <td>${incident.driver ?? incident.socket}</td>
    <td>${incident.reason}</td>
    <td>${lastedText(incident)}</td>
    <td>${incident.inspection?.verdict}</td>
  </tr> `;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
