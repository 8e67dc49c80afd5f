import { formatDuration } from "../../base/duration";
import { VERSION } from "../../version";
import type { Incident } from "../incidents/incident";
import { type Html, html } from "./html";
import { STYLE_ELEMENT } from "./style";

/** A whole page, readable without a script. */
export function renderPage(title: string, body: Html): string {
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

/** A table that scrolls by itself on a narrow screen, with the keyboard too. Its name is for screen readers. */
export function table(name: string, headings: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="wide" role="region" aria-label="${name}" tabindex="0">
    <table>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th> `)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** A pod, with its container where that is known. */
export function podText({ namespace, pod, container }: Pick<Incident, "namespace" | "pod" | "container">): string {
  if (namespace === undefined || pod === undefined) return "none that is known";
  return `${namespace}/${pod}${container === undefined ? "" : ` (${container})`}`;
}

export function lastedText({ openedAtMs, closedAtMs, end }: Incident): string {
  if (closedAtMs === undefined) return "open";
  const lasted = formatDuration(Math.round((closedAtMs - openedAtMs) / 100) * 100);
  return end === "gone" ? `${lasted}, until it was gone` : lasted;
}

/** An instant for people, to the second. */
export function instant(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}
