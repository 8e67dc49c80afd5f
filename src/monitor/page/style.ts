import type { Html } from "./html";

/** The one style sheet: in the page itself, and allowed there by its hash. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --paper: #ffffff; --panel: #f6f8fa; --line: #d1d9e0;
  --link: #0550ae; --ready: #1a7f37; --notReady: #8a5a00; --failed: #c21c28; --unknown: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9ea7b3; --paper: #0d1117; --panel: #151b23; --line: #3d444d;
    --link: #79c0ff; --ready: #3fb950; --notReady: #e3b341; --failed: #ff7b72; --unknown: #9ea7b3; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; background: var(--paper); color: var(--ink);
  font: 0.9375rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0; } h2 { font-size: 1.125rem; margin: 2rem 0 0.5rem; }
h1 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.75rem; } h1 .state { font-size: 1rem; }
header, footer { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0.25rem 2rem; }
header { margin-bottom: 1rem; } footer { margin-top: 2.5rem; } footer a + a { margin-left: 1rem; }
header p, footer p, small { color: var(--faint); }
p, dd, ol { margin: 0; } h2 + p { margin-bottom: 0.75rem; } a { color: var(--link); } small { font-size: 0.8125rem; }
code, .path { font: 0.8125rem/1.5 ui-monospace, monospace; } .path { display: block; }
nav { margin-bottom: 0.75rem; }
#trouble:not(:empty) { margin-bottom: 1rem; padding: 0.5rem 0.75rem; border: 1px solid var(--failed);
  border-left-width: 0.25rem; background: var(--panel); }
#news { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.625rem 1rem 0.625rem 0; border-top: 1px solid var(--line); }
th:first-child { padding-left: 0.75rem; font-weight: 600; }
th small { font-weight: 400; } td small { display: block; } td p { color: var(--faint); }
thead th { color: var(--faint); font-size: 0.8125rem; border-top: 0; padding-top: 0; padding-bottom: 0.375rem; white-space: nowrap; }
tr.failed, tr.notReady { background: var(--panel); }
svg { display: block; max-width: 100%; height: 1.5rem; } polyline { fill: none; stroke: var(--faint); stroke-width: 1.5; }
.hour { border-bottom: 1px solid var(--line); } time { white-space: nowrap; }
.state { font-weight: 600; white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: 0.5em; height: 0.5em; margin-right: 0.5em; border-radius: 50%;
  background: currentColor; vertical-align: 0.1em; }
.ready { --state: var(--ready); } .notReady { --state: var(--notReady); }
.failed { --state: var(--failed); } .unknown { --state: var(--unknown); }
.state { color: var(--state); } rect { fill: var(--state); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 1rem 0; } dt { color: var(--faint); }
ol { list-style: none; padding: 0; }
li { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; padding: 0.375rem 0; border-top: 1px solid var(--line); }
li time { color: var(--faint); }
@media (min-width: 62.01rem) {
  tr > :first-child { border-left: 0.25rem solid transparent; }
  tr.failed > :first-child { border-left-color: var(--failed); } tr.notReady > :first-child { border-left-color: var(--notReady); }
  .drivers th:nth-child(1) { width: 23%; } .drivers th:nth-child(2) { width: 28%; } .drivers th:nth-child(3) { width: 17%; }
  .drivers th:nth-child(5) { width: 11%; } .drivers th:nth-child(6) { width: 15%; }
  .incidents th:nth-child(1) { width: 18%; } .incidents th:nth-child(2) { width: 20%; } .incidents th:nth-child(5) { width: 42%; }
  .steps th:nth-child(1) { width: 20%; } .steps th:nth-child(2) { width: 12%; }
}
@media (max-width: 62rem) {
  body { padding: 1rem; }
  table, tbody { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; margin-bottom: 0.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--line); border-radius: 0.375rem; }
  tr.failed { border-left: 0.25rem solid var(--failed); } tr.notReady { border-left: 0.25rem solid var(--notReady); }
  tbody th, tbody td { display: block; padding: 0.125rem 0; border: 0; } tbody th:first-child { padding-left: 0; }
  tbody td { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0 0.75rem; }
  tbody td::before { content: attr(data-label); color: var(--faint); font-size: 0.8125rem; }
  tbody td:has(> div:empty) { display: none; }
  li { grid-template-columns: 1fr; }
}
`;

/** As it is: the hash is of every character between the tags. */
export const STYLE_ELEMENT: Html = { html: `<style>${STYLE}</style>` };

const HASH = new Bun.CryptoHasher("sha256").update(STYLE).digest("base64");

/** Nothing is loaded but the script and the page itself, from here alone; nobody may put the page into a frame. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${HASH}'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
