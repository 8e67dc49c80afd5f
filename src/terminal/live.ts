import type { DriverReport, NodeReport } from "../inspection/report";
import { type Change, changeText } from "./changes";
import { type Looker, renderNodeNotes, renderNodeSummary } from "./list-notes";
import { cutToWidth } from "./layout";
import { layOutLiveTable, type NodeTableStyle } from "./list-table";

/** A change, and when it was seen, in milliseconds since the epoch. */
export interface SeenChange extends Change {
  readonly atMs: number;
}

export interface LiveView {
  readonly report: NodeReport;
  readonly looker: Looker;
  /** The last change of each driver since the watch began, by its socket. */
  readonly changes: ReadonlyMap<string, SeenChange>;
  readonly lastChange: SeenChange | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export interface ScreenStyle extends NodeTableStyle {
  readonly columns: number;
  /** The terminal's height; `Infinity` for the last picture, which may be scrolled. */
  readonly rows: number;
}

/** For so long a change is marked, in milliseconds. */
const FRESH_MS = 10_000;

/** In a lower terminal there is the table alone. */
const MIN_HEIGHT = 8;

/**
 * The lines of a screen, at most as many as leave room for the cursor: drivers and notes that do not fit are counted.
 */
export function renderScreen(view: LiveView, style: ScreenStyle): readonly string[] {
  const { report, looker } = view;
  const { columns, rows } = style;
  const notes = linesOf(renderNodeNotes(report, looker, { columns }));
  const height = Math.max(1, rows - 1);
  const summary = linesOf(renderNodeSummary(report, looker.self, { columns }));
  const footer = height < MIN_HEIGHT ? [] : [...summary, statusLine(view)];
  const body = fit(tableOf(view, style), notes, Math.max(2, height - footer.length));
  const lines = [...body, ...footer].slice(0, height);
  return rows === Infinity ? lines : lines.map((line) => cutToWidth(line, columns));
}

function tableOf({ report, changes, nowMs }: LiveView, style: ScreenStyle): Table {
  const { drivers } = report;
  const { header, blocks } = layOutLiveTable(drivers, style, {
    text: ({ socket }) => ageText(changes.get(socket), nowMs),
    colour: ({ socket }) => (isFresh(changes.get(socket), nowMs) ? "yellow" : "none"),
  });
  return {
    header: drivers.length === 0 ? [] : [header],
    rows: blocks.map((lines, index) => ({ lines, isReady: isReady(drivers[index]) })),
  };
}

interface Table {
  readonly header: readonly string[];
  readonly rows: readonly { readonly lines: readonly string[]; readonly isReady: boolean }[];
}

function isReady(driver: DriverReport | undefined): boolean {
  return driver?.outcome.kind === "ready" && !driver.slow;
}

/** If there is no room for all, drivers that are ready take one line each, and a line tells how many are left out. */
function fit({ header, rows }: Table, notes: readonly string[], space: number): readonly string[] {
  const all = [...header, ...rows.flatMap(({ lines }) => lines), ...notes];
  if (all.length <= space) return all;
  const shown = [...header];
  let count = 0;
  for (const { lines, isReady: ready } of rows) {
    const block = ready ? lines.slice(0, 1) : lines;
    if (shown.length + block.length >= space && count > 0) break;
    shown.push(...block.slice(0, Math.max(0, space - 1 - shown.length)));
    count += 1;
  }
  const isRoom = shown.length + notes.length < space;
  const left = [
    ...counted(rows.length - count, "driver"),
    ...(isRoom ? [] : counted(notes.filter((line) => line.startsWith("note:")).length, "note")),
  ];
  const more = left.length === 0 ? [] : [`... ${left.join(" and ")} do not fit: enlarge the window`];
  return [...shown, ...(isRoom ? notes : []), ...more];
}

function counted(count: number, noun: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${noun}${count === 1 ? "" : "s"}`];
}

function isFresh(change: SeenChange | undefined, nowMs: number): boolean {
  return change !== undefined && nowMs - change.atMs < FRESH_MS;
}

/** Such as `! was ready, 3s ago`: the mark is there while the change is fresh. */
function ageText(change: SeenChange | undefined, nowMs: number): string {
  if (change === undefined) return "";
  const mark = isFresh(change, nowMs) ? "! " : "";
  return `${mark}${change.was === undefined ? "new" : `was ${change.was}`}, ${age(nowMs - change.atMs)} ago`;
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return `${Math.floor(seconds / 3_600)}h`;
}

function statusLine({ lastChange }: LiveView): string {
  if (lastChange === undefined) return "no change so far";
  const time = new Date(lastChange.atMs).toISOString().slice(11, 19);
  return `last change at ${time} UTC: ${lastChange.driver} ${changeText(lastChange)}`;
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.trimEnd().split("\n");
}

/** A picture that is on the screen. */
export interface Shown {
  readonly lines: readonly string[];
  readonly columns: number;
}

/**
 * What draws a picture in place of the last one, with the cursor on the line below it. Colours apart, nothing else is
 * ever sent to a terminal (`escapeLines`): the cursor is not hidden and no mode outlasts a picture, so that there is
 * nothing to restore, even after SIGKILL. While it is drawn, the terminal waits with showing it (mode 2026), and does
 * not wrap lines (mode 7): it may take them to be wider than we do.
 *
 * @param wrap whether lines are wrapped: of the last picture
 */
export function drawScreen(last: Shown | undefined, { lines, columns }: Shown, rows: number, wrap = false): string {
  const up = last === undefined ? 0 : Math.min(takenRows(last, columns), rows - 1);
  return `${BEGIN}${wrap ? "" : NO_WRAP}\r${up === 0 ? "" : `\u001b[${up}A`}\u001b[J${lines.map((line) => `${line}\n`).join("")}${END}`;
}

const BEGIN = "\u001b[?2026h";
const NO_WRAP = "\u001b[?7l";
const END = "\u001b[?7h\u001b[?2026l";

/** A terminal that has become narrower has wrapped what was on it. */
function takenRows({ lines }: Shown, columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Bun.stringWidth(line) / columns)), 0);
}
