import type { Html } from "./html";

/** The one style sheet: in the page itself, and allowed there by its hash. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #8c959f; --faint: #57606a; --link: #0550ae;
  --ready: #1a7f37; --notReady: #9a6700; --failed: #cf222e; --unknown: #6e7781; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #6e7681; --faint: #9ea7b3; --link: #79c0ff;
    --ready: #56d364; --notReady: #e3b341; --failed: #ff7b72; --unknown: #9ea7b3; }
}
body { margin: 1rem auto; padding: 0 1rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
a { color: var(--link); } p, dd { margin: 0.25rem 0; } h1, p, dd, li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.8rem 0.4rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; min-width: 6rem; } small { color: var(--faint); display: block; }
svg { vertical-align: middle; } polyline { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.ready { color: var(--ready); fill: var(--ready); } .notReady { color: var(--notReady); fill: var(--notReady); }
.failed { color: var(--failed); fill: var(--failed); } .unknown { color: var(--unknown); fill: var(--unknown); }
.state { font-weight: 600; }
`;

/** As it is: the hash is of every character between the tags. */
export const STYLE_ELEMENT: Html = { html: `<style>${STYLE}</style>` };

const HASH = new Bun.CryptoHasher("sha256").update(STYLE).digest("base64");

/** Nothing is loaded, from here or from elsewhere, no script runs, and nobody may put the page into a frame. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
