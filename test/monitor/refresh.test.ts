import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "puppeteer-core";
import { SCRIPT_PATH } from "../../src/monitor/page/page";
import { compileScript } from "../../src/monitor/page/script";
import { startBrowser } from "../support/browser";
import { mulberry32 } from "../support/random-messages";
import { waitUntil } from "../support/wait";

// A browser on a busy machine is slow.
setDefaultTimeout(120_000);

const browser = await startBrowser();
const resources = new AsyncDisposableStack();
/** What is served. */
let shown = "";
let status = 200;
let page: Page;

beforeAll(async () => {
  if (browser === undefined) return;
  resources.defer(() => browser.close());
  const server = resources.use(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: serve }));
  page = await browser.newPage();
  shown = pageOf("0");
  await page.goto(server.url.href);
});
afterAll(() => resources.disposeAsync());

function serve({ url }: Request): Response {
  const isScript = new URL(url).pathname === SCRIPT_PATH;
  const headers = { "Content-Type": isScript ? "text/javascript" : "text/html" };
  return isScript ? new Response(compileScript(), { headers }) : new Response(shown, { status, headers });
}

describe.if(browser !== undefined)("the script of the pages", () => {
  test("puts 300 pages made at random in place of each other", async () => {
    const random = mulberry32(13);
    const pages = Array.from({ length: 300 }, (_, step) => randomPage(random, step + 1));
    shown = pages.shift() ?? "";
    await page.reload();
    expect(await page.evaluate(FOLLOW, pages)).toEqual([]);
  });

  test.each<readonly [string, number, string, string]>([
    ["404", 404, "404 page not found", "The monitor answers with HTTP status 404. Shown is what it knew at then;"],
    ["another page", 200, "<p>Log in</p>", "The answer has no style. Shown is what it knew at then;"],
  ])("keeps what it shows where the answer is %s, and says so", async (_, code, body, said) => {
    shown = pageOf("known", "<time>then</time>");
    await see("document.title", "known");
    [shown, status] = [body, code];
    await see("trouble.textContent.slice(0, -24)", said);
    expect(await page.evaluate("document.title")).toBe("known");
    [shown, status] = [pageOf("again"), 200];
    await see("trouble.textContent + document.title", "again");
  });

  test("loads the page anew where the style sheet is another one: so is the monitor", async () => {
    await page.evaluate("window.isOld = true");
    shown = pageOf("new", "", "p { color: red; }");
    await see("document.title + window.isOld", "newundefined");
  });
});

/** Refreshes the page until an expression has a value. */
async function see(expression: string, value: string): Promise<void> {
  let seen: unknown;
  const look = async (): Promise<boolean> => {
    try {
      await page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`);
      seen = await page.evaluate(expression);
    } catch (error) {
      // The page is loaded anew meanwhile.
      seen = error;
    }
    return seen === value;
  };
  await waitUntil(look, () => `${value}; there is ${String(seen)}`);
}

/**
 * Shows pages one after the other, and says what is not as it should be. It runs in the browser, whose types are not
 * known here.
 */
const FOLLOW = new Function(
  "pages",
  `return (async () => {
    const fetched = window.fetch;
    const faults = [];
    for (const page of pages) {
      const next = new DOMParser().parseFromString(page, "text/html");
      const main = document.querySelector("main");
      const rows = () => new Map([...main.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
      const before = rows();
      const link = before.get("3").querySelector("a");
      link.focus();
      window.fetch = async () => new Response(page);
      document.dispatchEvent(new Event("visibilitychange"));
      // A task of its own comes after all that a refresh does at once.
      do await new Promise((resolve) => setTimeout(resolve)); while (document.title !== next.title);
      const title = next.title + ": ";
      if (!main.isEqualNode(next.querySelector("main"))) faults.push(title + main.outerHTML);
      for (const [key, row] of rows()) if (before.has(key) && before.get(key) !== row) faults.push(title + "another row " + key);
      if (document.activeElement !== link) faults.push(title + "the focus is gone");
    }
    window.fetch = fetched;
    return faults;
  })()`,
) as (pages: readonly string[]) => Promise<readonly string[]>;

/** Rows come and go in their order, as those of drivers and incidents do; the third always stays. */
function randomPage(random: () => number, step: number): string {
  const maybe = (text: string): string => (random() < 0.5 ? text : "");
  const content = (): string => `${maybe("text ")}${maybe("<b>bold</b>")}${maybe(`<p>${step}</p>`)}${maybe("<br>")}`;
  const row = (key: number): string =>
    `<tr data-key="${key}" ${maybe('class="failed"')}><th><a href="/${key}">${key}</a></th><td>${content()}</td></tr> `;
  const rows = Array.from({ length: 7 }, (_, key) => (key === 3 ? row(key) : maybe(row(key))));
  const table = `<table data-key="drivers"><thead></thead><tbody> ${rows.join("")}</tbody></table>`;
  return pageOf(String(step), `${maybe("<h1>some</h1>")} ${content()} ${table} ${content()}`);
}

function pageOf(title: string, main = "", style = ""): string {
  return `<!doctype html><html lang="en"><title>${title}</title><style>${style}</style>
    <script src="${SCRIPT_PATH}" defer></script><p id="trouble"></p><p id="news"></p><main>${main}</main>`;
}
