import { formatDuration } from "../../base/duration";
import { VERSION } from "../../version";
import type { Incident } from "../incidents/incident";
import { type Html, html } from "./html";
import { STYLE_ELEMENT } from "./style";

/** Where the script of the pages is served. */
export const SCRIPT_PATH = "/refresh.js";

export interface Page {
  /** Of the tab. */
  readonly title: string;
  readonly heading: Html;
  readonly body: Html;
  /** When it was so, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** A whole page, readable without its script. The script updates `main`, and writes into `trouble` and `news`. */
export function renderPage({ title, heading, body, atMs }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
        <script src="${SCRIPT_PATH}" defer></script>
      </head>
      <body>
        <p id="trouble" role="status"></p>
        <p id="news" role="status"></p>
        <main>
          <header>
            <h1>${heading}</h1>
            <p>As of ${instant(atMs)}</p>
          </header>
          ${body}
        </main>
        <footer>
          <p>livenessprobe monitor ${VERSION}</p>
          <p><a href="/metrics">Metrics</a> <a href="/api/v1/drivers">Drivers as JSON</a></p>
        </footer>
      </body>
    </html> `.html;
}

export interface Row {
  /** For the script: no other row of the table has it. */
  readonly key: string;
  /** A class of the style sheet. */
  readonly look?: string;
  /** One for each heading; the first one names the row. */
  readonly cells: readonly Html[];
}

/**
 * A table; `kind` is a class of the style sheet. On a narrow screen each row is a block, with the headings beside the
 * cells. Some browsers do not tell a screen reader then that it is a table, so the roles do.
 */
export function table(kind: string, headings: readonly string[], rows: readonly Row[]): Html {
  const cell = (content: Html, index: number): Html =>
    index === 0
      ? html`<th scope="row" role="rowheader">${content}</th> `
      : html`<td role="cell" data-label="${headings[index]}"><div>${content}</div></td> `;
  return html`<table role="table" class="${kind}" data-key="${kind}">
    <thead role="rowgroup">
      <tr role="row">
        ${headings.map((heading) => html`<th scope="col" role="columnheader">${heading}</th> `)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        ({ key, look, cells }) =>
          html`<tr role="row" data-key="${key}" class="${look}">
            ${cells.map(cell)}
          </tr> `,
      )}
    </tbody>
  </table>`;
}

/** A pod, with its container where that is known. */
export function podText({ namespace, pod, container }: Pick<Incident, "namespace" | "pod" | "container">): Html {
  if (namespace === undefined || pod === undefined) return html`none that is known`;
  return html`${namespace}/${pod}${container === undefined ? undefined : html` <small>${container}</small>`}`;
}

/** How long an incident lasted. */
export function lastedText({ openedAtMs, closedAtMs, end }: Incident): Html {
  if (closedAtMs === undefined) return html`<span class="state failed">open</span>`;
  const lasted = formatDuration(Math.round((closedAtMs - openedAtMs) / 100) * 100);
  return html`${lasted}${end === "gone" ? ", until it was gone" : undefined}`;
}

/** An instant for people, to the second. */
export function instant(ms: number): Html {
  const exact = new Date(ms).toISOString();
  return html`<time datetime="${exact}">${exact.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time>`;
}
