import type { InspectStep } from "../../inspection/report";
import type { Incident, IncidentEvent } from "../incidents/incident";
import { type Html, html } from "./html";
import { instant, lastedText, podText, renderPage, type Row, table } from "./page";

/** One incident, with its events and what an inspection found. */
export function renderIncidentPage(incident: Incident, wallMs: number, nodeName?: string): string {
  const { driver, socket, reason, message, events, eventsLeftOut, inspection } = incident;
  const title = `${driver ?? "A driver"}: ${reason}`;
  return renderPage({
    title,
    heading: html`${title}`,
    atMs: wallMs,
    body: html`<nav><a href="/">All drivers</a></nav>
      <p>${message}</p>
      <dl>
        <dt>Lasted</dt>
        <dd>${lastedText(incident)}</dd>
        ${
          nodeName === undefined
            ? undefined
            : html`<dt>Node</dt>
                <dd>${nodeName}</dd> `
        }
        <dt>Pod</dt>
        <dd>${podText(incident)}</dd>
        <dt>Socket</dt>
        <dd class="path">${socket}</dd>
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
              ${table("steps", ["Step", "Outcome", "Details"], inspection.steps.map(stepRow))}`
      }`,
  });
}

function eventItem(event: IncidentEvent): Html {
  return html`<li>${instant(event.atMs)} <span>${eventText(event)}</span></li> `;
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

function stepRow({ title, outcome }: InspectStep, index: number): Row {
  const details = "details" in outcome ? outcome.details : "needs" in outcome ? [`needs ${outcome.needs}`] : [];
  const [text, look] = OUTCOMES[outcome.kind];
  return {
    key: `${index}: ${title}`,
    look,
    cells: [
      html`${title}`,
      html`<span class="state ${look}">${text}</span>`,
      html`${details.map((line) => html`<p>${line}</p>`)}${outcome.kind === "failed" ? advice(outcome) : undefined}`,
    ],
  };
}

function advice({ remedy, command }: Extract<InspectStep["outcome"], { readonly kind: "failed" }>): Html {
  return html`${remedy && html`<p>${remedy}</p>`}${command && html`<p><code>${command}</code></p>`}`;
}

/** In words, and a class of the style sheet. */
const OUTCOMES: Readonly<Record<InspectStep["outcome"]["kind"], readonly [string, string]>> = {
  passed: ["passed", "ready"],
  failed: ["failed", "failed"],
  absent: ["not there", "unknown"],
  notPermitted: ["not permitted", "unknown"],
  notReached: ["not reached", "unknown"],
};
