import type { Browser } from "puppeteer-core";
import type { DriverOutcome, DriverReport } from "../../src/inspection/report";
import { type DriverView, NOT_ASKED_YET } from "../../src/monitor/driver-record";
import { advanceIncident, type Incident, openIncident } from "../../src/monitor/incidents/incident";
import { createHistory } from "../../src/monitor/page/history";
import { renderNodePage } from "../../src/monitor/page/node-page";
import type { Theme } from "./theme";

/** Of the picture, in pixels: those of an indexed PNG, which takes a quarter of what the browser makes. */
const WIDTH = 1_280;
const COLOURS = 64;

/**
 * Takes a picture of the sample page in a browser.
 *
 * Two versions of a browser draw it a little differently, so the picture cannot be compared with what another one
 * draws. It has the hash of the page in it: `readSource` tells whether it is of the page as it is now.
 */
export async function drawPage(browser: Browser, theme: Pick<Theme, "name">): Promise<Uint8Array> {
  const page = await browser.newPage();
  await page.setViewport({ width: WIDTH, height: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme.name }]);
  await page.setContent(renderSamplePage());
  const png = await page.screenshot({ fullPage: true });
  await page.close();
  const indexed = await new Bun.Image(png).png({ palette: true, colors: COLOURS, compressionLevel: 9 }).bytes();
  return withText(indexed, `${SOURCE}${hashOfPage()}`);
}

/** What a picture of the sample page is to have in it. */
export function hashOfPage(): string {
  return new Bun.CryptoHasher("sha256").update(renderSamplePage()).digest("hex");
}

/** The keyword of PNG for where a picture comes from, and the end of it. */
const SOURCE = "Source\0";

/** The hash of the page that a picture shows. */
export function readSource(png: Uint8Array): string | undefined {
  return new RegExp(`tEXt${SOURCE}([0-9a-f]{64})`).exec(Buffer.from(png).toString("latin1"))?.[1];
}

/** Adds a chunk of text behind the header: https://www.w3.org/TR/png-3/#11tEXt */
function withText(png: Uint8Array, text: string): Uint8Array {
  const content = Buffer.from(`tEXt${text}`, "latin1");
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(Bun.hash.crc32(content), content.length + 4);
  const headerEnd = 33;
  return Buffer.concat([png.subarray(0, headerEnd), chunk, png.subarray(headerEnd)]);
}

const NOW_MS = Date.UTC(2026, 10, 25, 3, 12, 40);
const MINUTE_MS = 60_000;

interface Sample {
  readonly name: string;
  readonly version: string;
  readonly pod: string;
  readonly container: string;
  readonly outcome?: DriverOutcome;
  /** Minutes ago that it was not ready, from the first to the last. */
  readonly troubles?: readonly (readonly [from: number, to: number])[];
  /** Of a probe, in milliseconds. */
  readonly latency: number;
}

const HUNG: DriverOutcome = {
  kind: "failed",
  reason: "hung",
  message:
    "driver hung: it took the connection on /var/lib/kubelet/plugins/files.csi.example/csi.sock but did not begin to speak HTTP/2 within 3s; its process is stopped, deadlocked or starved",
};

const SAMPLES: readonly Sample[] = [
  { name: "blocks.csi.example", version: "v1.35.0", pod: "blocks-node-x7k2p", container: "driver", latency: 1.3 },
  {
    name: "files.csi.example",
    version: "v2.1.4",
    pod: "files-node-9qv4d",
    container: "driver",
    latency: 4.1,
    outcome: HUNG,
    troubles: [[7, 0]],
  },
  {
    name: "objects.csi.example",
    version: "v0.9.2",
    pod: "objects-node-b8zzl",
    container: "objects",
    latency: 2.2,
    troubles: [[41, 40]],
  },
  {
    name: "secrets.csi.example",
    version: "v1.4.8",
    pod: "secrets-store-5jwcm",
    container: "secrets-store",
    latency: 0.9,
    outcome: { kind: "notReady" },
    troubles: [[2, 0]],
  },
  {
    name: "snapshots.csi.example",
    version: "v6.0.1",
    pod: "snapshots-node-tt9hf",
    container: "driver",
    latency: 11.8,
  },
];

/** The page of a node with five drivers, of which one hangs. Its times are fixed, so it is the same each time. */
function renderSamplePage(): string {
  const fixed = advanceIncident(
    incident("objects.csi.example", "nobody_listens", 41, "failed: nobody_listens at connect"),
    { kind: "ready" },
    NOW_MS - 39.4 * MINUTE_MS,
  );
  const open = incident("files.csi.example", "hung", 7, "failed: hung at HTTP/2; process stopped (T)");
  return renderNodePage(SAMPLES.map(viewOf), [open, fixed], NOW_MS);
}

function incident(driver: string, reason: "hung" | "nobody_listens", minutesAgo: number, verdict: string): Incident {
  const socket = socketOf(driver);
  const subject = { socket, driver, namespace: undefined, pod: undefined, container: undefined };
  const opened = openIncident(
    subject,
    { reason, message: "" },
    `${driver}-${minutesAgo}`,
    NOW_MS - minutesAgo * MINUTE_MS,
  );
  const { outcome } = NOT_ASKED_YET;
  return {
    ...opened,
    inspection: { socket, driver, outcome, slow: false, steps: [], verdict, next: undefined },
  };
}

function viewOf(sample: Sample): DriverView {
  const { name, version, pod, container, outcome = { kind: "ready" }, troubles = [], latency } = sample;
  const history = createHistory();
  for (let minute = 59; minute >= 0; minute -= 1) {
    const isTrouble = troubles.some(([from, to]) => minute <= from && minute >= to);
    const bad = outcome.kind === "notReady" ? "notReady" : "failed";
    const wobble = 1 + 0.3 * Math.sin(minute * 1.7) + (minute % 19 === 4 ? 0.9 : 0);
    history.note(
      isTrouble ? bad : "ready",
      isTrouble && bad === "failed" ? undefined : latency * wobble,
      NOW_MS - minute * MINUTE_MS,
    );
  }
  const report: DriverReport = {
    driver: name,
    nameSource: "driver",
    socket: socketOf(name),
    vendorVersion: version,
    outcome,
    connectMs: undefined,
    callMs: undefined,
    slow: false,
    announced: "yes",
    listener: undefined,
    capabilities: undefined,
  };
  return {
    report,
    names: new Set([name]),
    label: name,
    registrationSocket: undefined,
    process: {
      listener: {
        pid: 1,
        command: "driver",
        state: { letter: "S", word: "sleeping" },
        namespace: "kube-system",
        pod,
        container,
      },
      startedAtMs: undefined,
      startedTicksMs: 0,
    },
    oomKills: undefined,
    probes: { ready: 0, notReady: 0, failed: 0 },
    lastReadyAtMs: undefined,
    history,
  };
}

function socketOf(name: string): string {
  return `/var/lib/kubelet/plugins/${name}/csi.sock`;
}
