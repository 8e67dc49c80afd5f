import { escapeUnprintable, jsonText, quote } from "../base/text";
import type { LogRecord, LogValue, TimeZone } from "./record";

/**
 * One record as klog's text, with its newline: `I1122 09:53:50.671000   32502 prober.ts:1] "Message" key="value"`.
 *
 * The time is local, to the millisecond; the last three digits are always 0. The line number is always 1, because a source
 * map would take memory. An error comes first, under `err`, as from klog's `ErrorS`. A value of several lines is printed
 * as `key=<`, a tab and each line, ` >`. Unlike klog, we also escape unprintable characters there: it may be a driver's text.
 */
export function formatKlog(record: LogRecord): string {
  const header = `${record.severity}${printTime(record.timeMs, record.timeZone)} ${String(record.pid).padStart(7)} ${record.source}:1]`;
  const error = record.error === undefined ? "" : formatPair("err", record.error);
  const values = Object.entries(record.values).map(([key, value]) => formatPair(key, value));
  return `${header} ${quote(record.message)}${error}${values.join("")}\n`;
}

/** MMDD hh:mm:ss.uuuuuu */
function printTime(timeMs: number, zone: TimeZone): string {
  const [month, day, ...time] = calendar(new Date(timeMs), zone).map((part) => pad(part, 2));
  return `${month}${day} ${time.join(":")}.${pad(timeMs % 1_000, 3)}000`;
}

/** Month (from 1), day, hours, minutes, seconds. */
function calendar(date: Date, zone: TimeZone): readonly number[] {
  switch (zone) {
    case "utc":
      return [
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ];
    case "local":
      return [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  }
  return zone satisfies never;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

function formatPair(key: string, value: LogValue): string {
  if (typeof value !== "string") return ` ${key}=${formatBare(value)}`;
  return value.includes("\n") ? ` ${key}=<\n${indent(value)} >` : ` ${key}=${quote(value)}`;
}

function formatBare(value: Exclude<LogValue, string>): string {
  return typeof value === "object" ? jsonText(value) : String(value);
}

// A newline at the end of the value adds no empty line.
function indent(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `\t${line.split("\t").map(escapeUnprintable).join("\t")}\n`).join("");
}
