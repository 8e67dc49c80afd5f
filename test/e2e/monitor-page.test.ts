import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import type { Browser, Page } from "puppeteer-core";
import { startBrowser, watchComplaints } from "../support/browser";
import { type RunningDriver, startDriver } from "../support/drivers";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(120_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const HOSTILE = `<img src=//elsewhere.example onerror=alert(1)><script>alert(1)</script>&"'\u001b[2J\u202e`;

const browser = await startBrowser();
const resources = new AsyncDisposableStack();
let rootDir: string;
let monitor: Sidecar;
let ready: RunningDriver;
let stopped: RunningDriver;
/** Of a driver that says HTML. */
let incidentPath: string;

beforeAll(async () => {
  if (browser === undefined) return;
  const node = resources.use(makeNode());
  makeKubeletRoot(node);
  const start = async (directory: string, name = directory): Promise<RunningDriver> => {
    node.directory(`${PLUGINS}/${directory}`);
    const socketPath = node.outer(`${PLUGINS}/${directory}/csi.sock`);
    return resources.use(await startDriver("grpc-js", { name, vendorVersion: HOSTILE, socketPath }));
  };
  const [isReady, stops, hostile, notReady] = await Promise.all([
    start("ready.csi"),
    start("stopped.csi"),
    start("hostile.csi", HOSTILE),
    start("not-ready.csi"),
  ]);
  ready = isReady;
  stopped = stops;
  rootDir = node.rootDir;
  monitor = resources.use(await startMonitor());
  await waitUntil(async () => (await monitor.get("/readyz")).status === 200, "all drivers to be ready");
  node.directory(`${PLUGINS}/gone.csi`);
  node.staleSocket(`${PLUGINS}/gone.csi/csi.sock`);
  await Promise.all([
    stopped.pause(),
    hostile.send(`mode status 13 ${HOSTILE}`),
    notReady.send("mode notready"),
    waitUntil(async () => (await failing()) === 4, "all states to be seen"),
  ]);
  incidentPath = await waitUntil(incidentOfHostile, "its inspection");
});
afterAll(async () => {
  await browser?.close();
  await resources.disposeAsync();
});

const PAGES: readonly (readonly [string, () => string])[] = [
  ["of the drivers", () => "/"],
  ["of an incident", () => incidentPath],
];

describe.if(browser !== undefined)("the page in a browser", () => {
  const looks = ["light", "dark"].flatMap((scheme) =>
    [360, 1_400].flatMap((width) => [true, false].map((scripts) => [scheme, width, scripts] as const)),
  );

  describe.each(looks)("%s, %d pixels wide, JavaScript %p", (scheme, width, scripts) => {
    test.each(PAGES)("the page %s is accessible, and complains of nothing", async (_, pathOf) => {
      await using opened = await open(pathOf(), { scheme, width, scripts });
      const { page, complaints } = opened;
      const { violations } = await audit(page);
      expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
      expect(complaints.lines).toEqual([]);
      expect([...new Set(complaints.requests)]).toEqual(scripts ? [pathOf(), "/refresh.js"] : [pathOf()]);
    });
  });

  test.each(PAGES)("the page %s never scrolls sideways", async (_, pathOf) => {
    await using opened = await open(pathOf(), { scheme: "light", width: 1_400, scripts: true });
    const { page } = opened;
    for (let width = 320; width <= 1_400; width += 40) {
      // oxlint-disable-next-line no-await-in-loop -- one page has one width at a time
      await page.setViewport({ width, height: 800 });
      // oxlint-disable-next-line no-await-in-loop -- one page has one width at a time
      expect({ width, content: await page.evaluate("document.documentElement.scrollWidth") }).toEqual({
        width,
        content: width,
      });
    }
  });

  test.each(PAGES)("Tab reaches each link and each box that scrolls of the page %s", async (_, pathOf) => {
    // A refresh could add an element meanwhile.
    await using opened = await open(pathOf(), { scheme: "light", width: 360, scripts: false });
    const { page } = opened;
    const wanted = await page.evaluate(
      `[...document.querySelectorAll("*")].filter((each) => each.matches("a[href]") || (each.scrollWidth > each.clientWidth && getComputedStyle(each).overflowX === "auto")).map(${TOLD})`,
    );
    const reached = new Set<unknown>();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one key after the other
      await page.keyboard.press("Tab");
      // oxlint-disable-next-line no-await-in-loop -- one key after the other
      const told = await page.evaluate(`(${TOLD})(document.activeElement)`);
      if (reached.has(told)) break;
      reached.add(told);
    }
    expect([...reached]).toEqual(expect.arrayContaining(wanted as unknown[]));
    expect(wanted).not.toEqual([]);
  });
});

describe.if(browser !== undefined).concurrent("a page that stays open", () => {
  test("shows a driver that hangs: what did not change stays, with its focus and the selection", async () => {
    await using opened = await open("/", { scheme: "light", width: 1_400, scripts: true });
    const { page, complaints } = opened;
    await page.evaluate(`{
      window.link = document.querySelector("main a");
      link.focus();
      getSelection().selectAllChildren(document.querySelector("h2"));
      window.before = [...document.querySelectorAll("main th, main a, main svg")];
    }`);
    await ready.pause();
    await text(page, "#news", "the change in words", /\bready\.csi: hung/);
    const stays = await page.evaluate(`({
      elements: before.filter((element) => !element.isConnected).map((element) => element.outerHTML),
      focus: document.activeElement === link,
      selection: String(getSelection()),
    })`);
    expect(stays).toEqual({ elements: [], focus: true, selection: "Incidents" });
    expect(complaints.lines).toEqual([]);
    ready.resume();
    await text(page, "#news", "the recovery in words", /\bready\.csi: ready/);
  });

  test("says that the monitor cannot be reached, as of when it shows the drivers, and goes on trying", async () => {
    await using first = await startMonitor();
    const { port, origin } = new URL(first.url);
    await using opened = await open("/", { scheme: "light", width: 1_400, scripts: true }, origin);
    first.signal("SIGTERM");
    const said =
      /^The monitor cannot be reached\. Shown is what it knew at [-\d]+ [:\d]+ UTC; trying again every 5 s\.$/;
    await text(opened.page, "#trouble", "what is wrong", said);
    await using second = await startMonitor(port);
    await text(opened.page, "#trouble", "the end of it", /^$/);
    expect(second.url).toBe(origin);
  });

  test("does not ask while it is hidden, and asks at once when it is seen", async () => {
    await using hidden = await open("/", { scheme: "light", width: 1_400, scripts: true });
    await hide(hidden.page, true);
    const asked = [...hidden.complaints.requests];
    await using seen = await open("/", { scheme: "light", width: 1_400, scripts: true });
    await waitUntil(() => seen.complaints.requests.length >= 4, "two refreshes of another page");
    expect(hidden.complaints.requests).toEqual(asked);
    await hide(hidden.page, false);
    await waitUntil(() => hidden.complaints.requests.length > asked.length, "its refresh");
  });
});

async function text(page: Page, selector: string, what: string, expected: RegExp): Promise<void> {
  const read = () => page.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`);
  await waitUntil(async () => expected.test(String(await read())), what);
}

function hide(page: Page, isHidden: boolean): Promise<unknown> {
  return page.evaluate(`{
    Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }`);
}

function startMonitor(port = "0"): Promise<Sidecar> {
  const flags = ["--root", rootDir, "--interval=5s", "--probe-timeout=1s", `--http-endpoint=127.0.0.1:${port}`];
  return startSidecar(["monitor", ...flags]);
}

/** Which element it is: its place in the document, and its text. */
const TOLD = `(element) => [...document.querySelectorAll("*")].indexOf(element) + ": " + element.textContent`;

interface Look {
  readonly scheme: string;
  readonly width: number;
  readonly scripts: boolean;
}

async function open(path: string, { scheme, width, scripts }: Look, origin = monitor.url) {
  const page = await (browser as Browser).newPage();
  const complaints = watchComplaints(page, origin);
  await page.setViewport({ width, height: 800 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setJavaScriptEnabled(scripts);
  await page.goto(origin + path);
  return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
}

/** What axe-core finds in a page as it was opened. */
async function audit(page: Page): Promise<axe.AxeResults> {
  // axe itself is JavaScript; scripts of the page that did not run stay as they are.
  await page.setJavaScriptEnabled(true);
  await page.evaluate(axe.source);
  return (await page.evaluate("axe.run()")) as axe.AxeResults;
}

interface Drivers {
  readonly items: readonly { readonly outcome: string }[];
}

async function failing(): Promise<number> {
  const { items } = (await (await monitor.get("/api/v1/drivers")).json()) as Drivers;
  return items.filter(({ outcome }) => outcome !== "ready").length;
}

interface Incidents {
  readonly items: readonly { readonly id: string; readonly driver: string; readonly verdict?: string }[];
}

async function incidentOfHostile(): Promise<string | undefined> {
  const { items } = (await (await monitor.get("/api/v1/incidents")).json()) as Incidents;
  const incident = items.find(({ driver, verdict }) => driver !== "stopped.csi" && verdict !== undefined);
  return incident && `/incidents/${incident.id}`;
}
