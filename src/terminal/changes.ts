import type { DriverReport } from "../inspection/report";
import { oneLine } from "../base/text";
import { messageText, nameText, toldState } from "./list-table";

/** What has changed of a driver. */
export interface Change {
  readonly socket: string;
  readonly driver: string;
  /** Such as `ready`, or `pid 12` where another process listens; undefined for a driver that was not there. */
  readonly was: string | undefined;
  /** Undefined for one that is gone. */
  readonly now: string | undefined;
  /** Why it is not ready; may be empty. */
  readonly message: string;
}

interface Known {
  readonly driver: string;
  readonly state: string;
  /** The last one that was seen. */
  readonly pid: number | undefined;
}

/**
 * Follows the drivers of one report after the other.
 *
 * @param isAsked false for a driver of which nothing is known yet: what was known before stays
 * @returns what has changed since the last report; each driver of the first one is a change
 */
export function createChangeFollower(isAsked: (driver: DriverReport) => boolean) {
  let before: ReadonlyMap<string, Known> = new Map();

  return (drivers: readonly DriverReport[]): readonly Change[] => {
    const now = new Map<string, Known>();
    const changes: Change[] = [];
    for (const driver of drivers) {
      const { socket } = driver;
      const last = before.get(socket);
      const known = isAsked(driver) ? knownOf(driver, last) : last;
      if (known === undefined) continue;
      now.set(socket, known);
      const change = known === last ? undefined : changeBetween(last, known);
      if (change !== undefined) changes.push({ ...change, socket, driver: known.driver, message: messageText(driver) });
    }
    const there = new Set(drivers.map(({ socket }) => socket));
    for (const [socket, { driver, state }] of before)
      if (!there.has(socket)) changes.push({ socket, driver, was: state, now: undefined, message: "" });
    before = now;
    return changes;
  };
}

function knownOf(driver: DriverReport, last: Known | undefined): Known {
  return { driver: nameText(driver), state: toldState(driver.outcome), pid: driver.listener?.pid ?? last?.pid };
}

function changeBetween(last: Known | undefined, now: Known): Pick<Change, "was" | "now"> | undefined {
  if (last?.state !== now.state) return { was: last?.state, now: now.state };
  return last.pid === undefined || last.pid === now.pid ? undefined : { was: `pid ${last.pid}`, now: `pid ${now.pid}` };
}

const MAX_PATH_BYTES = 4_096;

/**
 * A change in one line, with a newline at its end: the time, the driver, what has changed, why it is not ready, and the
 * socket, three spaces apart. Everything that drivers and the file system say is escaped.
 *
 * @param atMs milliseconds since the epoch
 */
export function renderChangeLine(change: Change, atMs: number): string {
  const { driver, message, socket } = change;
  const time = new Date(atMs).toISOString().replace(/\.\d+/, "");
  const cells = [time, driver, changeText(change), message, oneLine(socket, MAX_PATH_BYTES)];
  return `${cells.filter((cell) => cell !== "").join("   ")}\n`;
}

/** Such as `ready -> failed: hung`, or `ready` for a driver that was not there. */
export function changeText({ was, now = "gone" }: Change): string {
  return was === undefined ? now : `${was} -> ${now}`;
}
