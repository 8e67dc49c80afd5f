import type { InspectStep } from "../../inspection/report";
import type { Incident, IncidentEvent } from "../incidents/incident";
import { type Html, html } from "./html";
import { instant, lastedText, podText, renderPage, table } from "./page";

/** One incident, with its events and what an inspection found. */
export function renderIncidentPage(incident: Incident): string {
  const { driver, socket, reason, message, events, eventsLeftOut, inspection } = incident;
  const title = `${driver ?? "A driver"}: ${reason}`;
  return renderPage(
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
              ${table("Steps", ["Step", "Outcome", "Details"], inspection.steps.map(stepRow))}`
      }`,
  );
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
