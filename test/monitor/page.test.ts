import { describe, expect, test } from "bun:test";
import type { DriverView } from "../../src/monitor/driver-record";
import { advanceIncident, type Incident, openIncident } from "../../src/monitor/incidents/incident";
import { createHistory, type MinuteState } from "../../src/monitor/page/history";
import { html } from "../../src/monitor/page/html";
import { renderIncidentPage } from "../../src/monitor/page/incident-page";
import { renderNodePage } from "../../src/monitor/page/node-page";
import { CONTENT_SECURITY_POLICY, STYLE } from "../../src/monitor/page/style";
import { driverReport, HOSTILE_INSPECTION, HOSTILE_REPORT, NODE_REPORT } from "../support/sample-reports";

const HOSTILE = `<script>alert(1)</script><img src=x onerror=alert(1)>"' style='x:y' &amp; \u202e\u001b[2J`;
const NOW = 1_795_616_302_566;

const INCIDENT: Incident = advanceIncident(
  {
    ...openIncident(
      { socket: HOSTILE, driver: HOSTILE, namespace: HOSTILE, pod: HOSTILE, container: HOSTILE },
      { reason: "rpc_error", message: HOSTILE },
      "20261125T141822.566Z-1",
      NOW - 60_000,
    ),
    inspection: HOSTILE_INSPECTION,
  },
  { kind: "failed", reason: "closed", message: HOSTILE },
  NOW,
);

const views = [...NODE_REPORT.drivers, ...HOSTILE_REPORT.drivers].map((report, index): DriverView => ({
  label: `${HOSTILE}${index}`,
  report: { ...report, vendorVersion: HOSTILE },
  names: new Set(),
  registrationSocket: undefined,
  process: undefined,
  oomKills: undefined,
  probes: { ready: 0, notReady: 0, failed: 0 },
  lastReadyAtMs: undefined,
  history: historyOf([
    ["ready", 0],
    ["failed", 5],
  ]),
}));

const PAGES: readonly (readonly [string, string])[] = [
  ["the page of the drivers", renderNodePage(views, [INCIDENT], NOW, HOSTILE)],
  ["the page of no drivers", renderNodePage([], [], NOW)],
  ["the page of an incident", renderIncidentPage(INCIDENT, NOW, HOSTILE)],
  [
    "the page of an incident that is not inspected yet",
    renderIncidentPage({ ...INCIDENT, inspection: undefined }, NOW),
  ],
];

describe.each(PAGES)("%s", (_, page) => {
  test("has the elements that it is made of, and none that somebody else has put in", async () => {
    const elements = await elementsOf(page);
    const names = new Set(elements.map(({ name }) => name));
    const allowed =
      "html head meta title style script body main header nav footer h1 h2 p small code time a div table thead tbody tr th td span svg polyline rect dl dt dd ol li";
    expect([...names].filter((name) => !allowed.split(" ").includes(name))).toEqual([]);
  });

  test("has one script, attributes that run nothing, and links within the page's own server", async () => {
    const attributes = (await elementsOf(page)).flatMap((element) => element.attributes);
    const suspicious = attributes.filter(([name]) => /^on|^style$|^src$|^action$/.test(name));
    expect(suspicious).toEqual([["src", "/refresh.js"]]);
    const links = attributes.flatMap(([name, value]) => (name === "href" ? [value] : []));
    expect(links.filter((link) => !/^\/(incidents\/[\w.-]+|metrics|api\/v1\/drivers)?$/.test(link))).toEqual([]);
  });

  test("has a language, a title, one heading of the first level, and headers of columns and rows", async () => {
    const elements = await elementsOf(page);
    const count = (name: string) => elements.filter((element) => element.name === name).length;
    expect({ html: count("html"), title: count("title"), h1: count("h1"), main: count("main") }).toEqual({
      html: 1,
      title: 1,
      h1: 1,
      main: 1,
    });
    const headers = elements.filter(({ name }) => name === "th").map(({ attributes }) => attributes);
    expect(headers.filter((each) => !each.some(([name]) => name === "scope"))).toEqual([]);
    const pictures = elements.filter(({ name }) => name === "svg").map(({ attributes }) => attributes);
    expect(pictures.filter((each) => !each.some(([name]) => name.startsWith("aria-")))).toEqual([]);
  });

  test("has no character that steers a terminal or turns text around", () => {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
  });
});

test("the policy allows the style sheet by its hash, what this server itself serves to a script, and nothing else", () => {
  const hash = new Bun.CryptoHasher("sha256").update(STYLE).digest("base64");
  expect(CONTENT_SECURITY_POLICY).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(renderNodePage([], [], NOW)).toContain(`<style>${STYLE}</style>`);
  expect(STYLE).not.toMatch(/url\(|@import|</);
});

test.each([
  ["text", html`<p>${"<b>"}</p>`, "<p>&lt;b&gt;</p>"],
  ["an attribute", html`<p title="${'"'}"></p>`, '<p title="&quot;"></p>'],
  ["HTML", html`<p>${html`<b>${"&"}</b>`}</p>`, "<p><b>&amp;</b></p>"],
  ["a list", html`<p>${[html`<i></i>`, html`<b></b>`]}</p>`, "<p><i></i><b></b></p>"],
  ["nothing", html`<p>${undefined}</p>`, "<p></p>"],
])("a template with %s", (_, { html: text }, expected) => {
  expect(text).toBe(expected);
});

describe("the last hour", () => {
  test.each<
    readonly [string, readonly (readonly [MinuteState, number])[], Readonly<Record<number, MinuteState | undefined>>]
  >([
    ["is not known before the first state", [["ready", 58]], { 0: undefined, 57: undefined, 58: "ready", 59: "ready" }],
    [
      "has the worst of each minute",
      [
        ["ready", 10],
        ["failed", 10.5],
        ["ready", 10.9],
      ],
      { 10: "failed", 11: "ready" },
    ],
    [
      "goes on as a minute has ended",
      [
        ["ready", 10],
        ["failed", 20],
      ],
      { 19: "ready", 20: "failed", 59: "failed" },
    ],
    [
      "begins a minute as the one before has ended",
      [
        ["failed", 10],
        ["ready", 12.5],
      ],
      { 11: "failed", 12: "failed", 13: "ready" },
    ],
  ])("%s", (_, states, expected) => {
    const minutes = historyOf(states).minutes(59.5 * 60_000);
    for (const [minute, state] of Object.entries(expected)) expect(minutes[Number(minute)]).toBe(state as MinuteState);
    expect(minutes).toHaveLength(60);
  });

  test("takes no more memory after a day", () => {
    const history = createHistory();
    for (let minute = 0; minute < 1_440; minute += 0.5) history.note("ready", 1, minute * 60_000);
    expect(history.durations()).toHaveLength(60);
    expect(history.minutes(1_440 * 60_000).filter((state) => state === "ready")).toHaveLength(60);
  });
});

test("a driver's row has its name, version, state and reason, and what the hour was in words", () => {
  const report = driverReport({ outcome: { kind: "failed", reason: "hung", message: "driver hung" } });
  const [view] = views;
  expect(view).toBeDefined();
  const history = historyOf([
    ["ready", 0],
    ["failed", 30],
  ]);
  const drivers = view === undefined ? [] : [{ ...view, label: "ebs.csi.aws.com", report, history }];
  const page = renderNodePage(drivers, [], 59 * 60_000);
  for (const text of ["ebs.csi.aws.com", "v1.35.0", ">hung<", "driver hung", "ready for 30 min, failed for 30 min"])
    expect(page).toContain(text);
});

/** @param states with the minute of each */
function historyOf(states: readonly (readonly [MinuteState, number])[]) {
  const history = createHistory();
  for (const [state, minute] of states) history.note(state, 1.5, minute * 60_000);
  return history;
}

interface Element {
  readonly name: string;
  readonly attributes: readonly (readonly [string, string])[];
}

/** As a browser's parser reads them. */
async function elementsOf(page: string): Promise<readonly Element[]> {
  const elements: Element[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element: ({ tagName, attributes }) => {
      elements.push({
        name: tagName,
        attributes: [...attributes].map(([name = "", value = ""]) => [name, value] as const),
      });
    },
  });
  await rewriter.transform(new Response(page)).text();
  return elements;
}
