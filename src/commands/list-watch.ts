import type { ProcessContext } from "../cli/command";
import type { ListOptions } from "../cli/operator-options";
import { MONOTONIC_CLOCK } from "../base/clock";
import { openNode } from "../inspection/node-view";
import type { DriverReport, NodeReport } from "../inspection/report";
import { NOT_ASKED_YET, stateOf, type WatchEvent } from "../monitor/driver-record";
import { startWatch } from "../monitor/watch";
import { type Change, createChangeFollower, renderChangeLine } from "../terminal/changes";
import { renderNodeJson } from "../terminal/json";
import { type Looker, renderNodeNotes } from "../terminal/list-notes";
import { drawScreen, renderScreen, type SeenChange, type Shown } from "../terminal/live";
import { decideRows, decideStyle } from "../terminal/style";

/** The watched drivers, shown to somebody. */
interface Display {
  /** Shows the drivers as they are, if there is something new. */
  show(report: NodeReport, changes: readonly Change[]): void;
  /** Called after the last `show`. */
  end(report: NodeReport): void;
}

/** Ages are shown in seconds. */
const TICK_MS = 1_000;

/** Changes that come together are shown together. */
const TOGETHER_MS = 50;

/**
 * Watches the drivers of the node with the same engine as `monitor`, and shows them until a signal comes or nobody
 * reads any more. A driver that hangs keeps one connection: to connect to it again and again would fill its queue.
 */
export async function watchList(
  options: ListOptions & { readonly watchIntervalMs: number },
  looker: Looker,
  context: ProcessContext,
): Promise<number> {
  const nudges = createNudges();
  void context.stopRequested().then(nudges.end);
  const { rootDir, kubeletDirs, watchIntervalMs } = options;
  const places = { rootDir, kubeletDirs };
  const watch = await startWatch({
    ...options,
    opened: await openNode(places),
    places,
    intervalMs: watchIntervalMs,
    observe: () => (event) => {
      if (isNews(event)) nudges.nudge();
    },
    clock: MONOTONIC_CLOCK,
    wallMs: Date.now,
    random: Math.random,
  });
  const follow = createChangeFollower(isAsked);
  const display = createDisplay(options, looker, context, nudges.nudge);
  let isWriting = false;
  const show = async (): Promise<void> => {
    const report = watch.table.report();
    display.show(report, follow(report.drivers));
    isWriting = true;
    if (!(await context.outIsRead())) nudges.end();
    isWriting = false;
  };
  do {
    // While a reader is slow, changes wait: pictures would pile up.
    if (!isWriting) void show();
    // oxlint-disable-next-line no-await-in-loop -- one picture after the other
  } while (await nudges.next());
  display.end(watch.table.report());
  watch.stop();
  return 0;
}

function isAsked({ outcome }: DriverReport): boolean {
  return outcome !== NOT_ASKED_YET.outcome;
}

function isNews(event: WatchEvent): boolean {
  if (event.kind === "outcome") return stateOf(event.before) !== stateOf(event.record.surveyed.report.outcome);
  return event.kind !== "probed";
}

function createNudges() {
  let wake: (() => void) | undefined;
  let isNudged = false;
  let isOver = false;
  const nudge = (): void => {
    isNudged = true;
    wake?.();
  };
  return {
    nudge,
    end: (): void => {
      isOver = true;
      nudge();
    },
    /** Resolves soon after a nudge, and otherwise after `TICK_MS`: false after the end. */
    next: async (): Promise<boolean> => {
      if (!isNudged) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, TICK_MS);
          wake = () => {
            clearTimeout(timer);
            setTimeout(resolve, TOGETHER_MS);
          };
        });
      }
      wake = undefined;
      isNudged = false;
      return !isOver;
    },
  };
}

function createDisplay(options: ListOptions, looker: Looker, context: ProcessContext, onResize: () => void): Display {
  if (options.output === "json") return createJsonLines(context);
  if (decideRows(context.streamFacts("out")) === undefined) return createLines(looker, context);
  context.onResize(onResize);
  return createScreen(options, looker, context);
}

/** A whole list for each change, one a line. The first one has the state of every driver. */
function createJsonLines({ writeOut }: ProcessContext): Display {
  let isFirst = true;
  return {
    show: ({ drivers, ...report }, changes) => {
      if (isFirst ? !drivers.every(isAsked) : changes.length === 0) return;
      isFirst = false;
      writeOut(renderNodeJson({ drivers, ...report }, 0));
    },
    end: () => {},
  };
}

function createLines(looker: Looker, { writeOut, writeError, streamFacts }: ProcessContext): Display {
  const begunMs = performance.now();
  let told = "";
  return {
    show: (report, changes) => {
      const atMs = Date.now();
      for (const change of changes) writeOut(renderChangeLine(change, atMs));
      // Registration sockets are asked first.
      if (performance.now() - begunMs < TICK_MS) return;
      const notes = renderNodeNotes(report, looker, decideStyle(streamFacts("error")));
      if (notes !== told) writeError(notes);
      told = notes;
    },
    end: () => {},
  };
}

function createScreen({ output }: ListOptions, looker: Looker, { writeOut, streamFacts }: ProcessContext): Display {
  const begunMs = performance.now();
  const changes = new Map<string, SeenChange>();
  let lastChange: SeenChange | undefined;
  let first: ReadonlySet<string> | undefined;
  let shown: Shown | undefined;

  function draw(report: NodeReport, isLast: boolean): void {
    const facts = streamFacts("out");
    const { columns = 0, colour } = decideStyle(facts);
    const rows = decideRows(facts) ?? 0;
    const view = { report, looker, changes, lastChange, nowMs: Date.now() };
    const style = { columns, colour, wide: output === "wide", rows: isLast ? Infinity : rows };
    const picture: Shown = { lines: renderScreen(view, style), columns };
    if (shown?.columns === columns && Bun.deepEquals(shown.lines, picture.lines)) return;
    writeOut(drawScreen(shown, picture, rows, isLast));
    shown = picture;
  }

  return {
    show: (report, changed) => {
      first ??= new Set(report.drivers.map(({ socket }) => socket));
      for (const change of changed) {
        // What was there from the beginning is not new.
        if (change.was === undefined && first.has(change.socket)) continue;
        lastChange = { ...change, atMs: Date.now() };
        if (change.now === undefined) changes.delete(change.socket);
        else changes.set(change.socket, lastChange);
      }
      // The first answers come at once: a row that says only that it waits for one would flash.
      if (shown !== undefined || performance.now() - begunMs > TICK_MS || report.drivers.every(isAsked))
        draw(report, false);
    },
    end: (report) => draw(report, true),
  };
}
