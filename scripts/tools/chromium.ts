import { type Browser, launch } from "puppeteer-core";
import { needPrograms } from "./debian";

/**
 * Debian's package, and the program in it: Chromium without a window. Debian has one version at a time, so none is
 * pinned.
 */
export const CHROMIUM = "chromium-headless-shell";

/** Ends a hang: on a busy machine it takes seconds. */
const START_BOUND_MS = 60_000;

/** Chromium, or what is Chromium under another name. */
export function findChromium(): string | undefined {
  return (
    [CHROMIUM, "chromium", "google-chrome"].map((name) => Bun.which(name)).find((path) => path !== null) ?? undefined
  );
}

/**
 * Starts Chromium, which is installed first where it is missing. Dispose of it to end it.
 *
 * @throws where it is missing and this is not root on Debian
 */
export async function startChromium(): Promise<Browser> {
  if (findChromium() === undefined) await needPrograms({ [CHROMIUM]: CHROMIUM });
  // Its sandbox refuses root; the pages are ours.
  return launch({ executablePath: findChromium() ?? CHROMIUM, args: ["--no-sandbox"], timeout: START_BOUND_MS });
}
