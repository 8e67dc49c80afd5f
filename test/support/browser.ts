import type { Browser, Page } from "puppeteer-core";
import { CHROMIUM, findChromium, startChromium } from "../../scripts/tools/chromium";

/**
 * Starts Chromium, and says in a line which one, or that there is none. With CI=true it is installed first. Call it at
 * the top of a test file: that takes longer than a test may.
 *
 * @returns undefined where there is none
 * @throws with CI=true, where it cannot be had
 */
export async function startBrowser(): Promise<Browser | undefined> {
  if (findChromium() === undefined && process.env["CI"] !== "true") {
    console.warn(`The tests in a browser are skipped: Chromium is not in PATH (Debian package ${CHROMIUM}).`);
    return undefined;
  }
  const browser = await startChromium();
  console.warn(`The tests in a browser use ${await browser.version()}.`);
  return browser;
}

export interface Complaints {
  /** The paths that were asked for. */
  readonly requests: readonly string[];
  /** Messages of the console, errors of scripts, and requests that failed or went to another origin. */
  readonly lines: readonly string[];
}

/** Gathers what a page must not do; call it before the page is opened. */
export function watchComplaints(page: Page, origin: string): Complaints {
  const lines: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => lines.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => lines.push(`error: ${String(error)}`));
  page.on("requestfailed", (request) => lines.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    requests.push(url.pathname);
    if (url.origin !== origin) lines.push(`elsewhere: ${request.url()}`);
  });
  return { requests, lines };
}
