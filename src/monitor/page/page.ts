import { formatDuration } from "../../base/duration";
import type { InspectStep } from "../../inspection/report";
import { VERSION } from "../../version";
import { type DriverView, whyNotReady } from "../driver-record";
import type { Incident, IncidentEvent } from "../incidents/incident";
import { MINUTES, type MinuteState } from "./history";
import { type Html, html } from "./html";
import { STYLE_ELEMENT } from "./style";

/** The drivers of the node, and the last incidents: a page that is readable without a script. */
export function renderNodePage(drivers: readonly DriverView[], incidents: readonly Incident[], wallMs: number): string {
  const watched = drivers.filter(({ report }) => report.outcome.kind !== "notCsi");
  const ready = watched.filter(({ report }) => report.outcome.kind === "ready").length;
  return document(
    "CSI drivers of this node",
    html`<h1>CSI drivers of this node</h1>
      <p>${ready} of ${watched.length} ready at ${instant(wallMs)}.</p>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">Driver</th>
              <th scope="col">State</th>
              <th scope="col">Pod</th>
              <th scope="col">Registered</th>
              <th scope="col">Latency</th>
              <th scope="col">Last hour</th>
            </tr>
          </thead>
          <tbody>
            ${watched.map((driver) => driverRow(driver, wallMs))}
          </tbody>
        </table>
      </div>
      <h2>Incidents</h2>
      ${incidents.length === 0 ? html`<p>None since this monitor was started.</p>` : incidentTable(incidents)}`,
  );
}

/** One incident, with its events and what an inspection found. */
export function renderIncidentPage(incident: Incident): string {
  const { driver, socket, reason, message, events, eventsLeftOut, inspection } = incident;
  const title = `${driver ?? "A driver"}: ${reason}`;
  return document(
    title,
    html`<p><a href="/">All drivers</a></p>
      <h1>${title}</h1>
      <p>${message}</p>
      <dl>
        <dt>Socket</dt>
        <dd>${socket}</dd>
        <dt>Pod</dt>
        <dd>${podText(incident)}</dd>
        <dt>Lasted</dt>
        <dd>${lastedText(incident)}</dd>
      </dl>
      <h2>Events</h2>
      <ol>
        ${events.map(eventItem)}
      </ol>
      ${eventsLeftOut === 0 ? undefined : html`<p>${eventsLeftOut} events in the middle were left out.</p>`}
      <h2>Inspection</h2>
      ${
        inspection === undefined
          ? html`<p>It is not done yet.</p>`
          : html`<p>${inspection.verdict}</p>
              <div class="wide">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Step</th>
                      <th scope="col">Outcome</th>
                      <th scope="col">Details</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${inspection.steps.map(stepRow)}
                  </tbody>
                </table>
              </div>`
      }`,
  );
}

function document(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${body}</main>
        <footer>
          <p><small>livenessprobe monitor ${VERSION}</small></p>
        </footer>
      </body>
    </html> `.html;
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
  return html`<svg width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${said.join(", ")}">${bars}</svg>`;
}

// The height tells what the colour tells, too.
const BARS: Readonly<Record<MinuteState, Html>> = {
  ready: html`y="12" height="8"`,
  unknown: html`y="16" height="4"`,
  notReady: html`y="6" height="14"`,
  failed: html`y="0" height="20"`,
};

function incidentTable(incidents: readonly Incident[]): Html {
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th scope="col">Began</th>
          <th scope="col">Driver</th>
          <th scope="col">Reason</th>
          <th scope="col">Lasted</th>
          <th scope="col">What was found</th>
        </tr>
      </thead>
      <tbody>
        ${incidents.map(
          (incident) =>
            html`<tr>
              <th scope="row"><a href="/incidents/${incident.id}">${instant(incident.openedAtMs)}</a></th>
              <td>${incident.driver ?? incident.socket}</td>
              <td>${incident.reason}</td>
              <td>${lastedText(incident)}</td>
              <td>${incident.inspection?.verdict}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

function eventItem(event: IncidentEvent): Html {
  return html`<li>${instant(event.atMs)} ${eventText(event)}</li> `;
}

function eventText(event: IncidentEvent): string {
  switch (event.kind) {
    case "failed":
      return `${event.reason}: ${event.message}`;
    case "restarted":
      return `another process listens: pid ${event.pid}`;
    case "ready":
      return "ready";
    case "notReady":
      return "not ready";
    case "connectionLost":
      return "the driver closed the connection that was kept open";
    case "socketReplaced":
      return "the socket was replaced";
    case "socketGone":
      return "the socket is gone";
  }
  return event satisfies never;
}

function stepRow({ title, outcome }: InspectStep): Html {
  const details = "details" in outcome ? outcome.details : "needs" in outcome ? [`needs ${outcome.needs}`] : [];
  const command = outcome.kind === "failed" ? [outcome.remedy, outcome.command] : [];
  const lines = [...details, ...command.flatMap((line) => line ?? [])];
  return html`<tr>
    <th scope="row">${title}</th>
    <td>${OUTCOMES[outcome.kind]}</td>
    <td>${lines.map((line) => html`<p>${line}</p>`)}</td>
  </tr> `;
}

const OUTCOMES: Readonly<Record<InspectStep["outcome"]["kind"], string>> = {
  passed: "passed",
  failed: "failed",
  absent: "not there",
  notPermitted: "not permitted",
  notReached: "not reached",
};

function podText({ namespace, pod, container }: Pick<Incident, "namespace" | "pod" | "container">): string {
  if (namespace === undefined || pod === undefined) return "none that is known";
  return `${namespace}/${pod}${container === undefined ? "" : ` (${container})`}`;
}

function lastedText({ openedAtMs, closedAtMs, end }: Incident): string {
  if (closedAtMs === undefined) return "open";
  const lasted = formatDuration(Math.round((closedAtMs - openedAtMs) / 100) * 100);
  return end === "gone" ? `${lasted}, until it was gone` : lasted;
}

function instant(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
