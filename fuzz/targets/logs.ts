import * as fc from "fast-check";
import { formatJson, formatKlog, type LogRecord, type LogValue } from "../../src/log/format";
import { escapeUnprintable } from "../../src/base/text";
import { anyText, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";
import { NEW_CHARACTERS, withNewCharacters } from "./texts";

/** As fuzz/oracle/logs.go reads it. Without an error it is an info line. */
interface Logged {
  readonly timeMs: number;
  readonly message: string;
  readonly error: string | null;
  readonly level: number;
  readonly values: readonly (readonly [key: string, value: LogValue])[];
}

const text = fc.oneof(
  anyText,
  words(["\n", "\t", "\r", '"', "\\", "a b", "<", "&", "=", "é", "\u2028", "\u202e", "\u0000", "\u001b[2J", "😀"], 6),
);
const value: fc.Arbitrary<LogValue> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
);
// Keys are constants of the source: lowerCamelCase, and none of the names that a line has anyway.
const key = fc
  .stringMatching(/^[a-z][a-zA-Z]{0,7}$/)
  .filter((name) => !["err", "error", "ts", "msg", "v", "caller"].includes(name));
const inputs: fc.Arbitrary<Logged> = fc.record({
  timeMs: fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2037, 11) }),
  message: text,
  error: fc.option(text),
  level: fc.nat(9),
  values: fc.uniqueArray(fc.tuple(key, value), { maxLength: 4, selector: ([name]) => name }),
});

export const klogText = createTarget({
  name: "klog",
  against: "klog's text logger",
  weight: 1,
  inputs,
  batchSize: 1_000,
  open: async () => compare(await startGoOracle<Logged, string>("klog"), verdictOnText),
});

export const jsonLog = createTarget({
  name: "json-log",
  against: "the JSON logger of Kubernetes' component-base",
  weight: 1,
  inputs,
  batchSize: 1_000,
  open: async () => compare(await startGoOracle<Logged, string>("json"), verdictOnJson),
});

function recordOf({ timeMs, message, error, level, values }: Logged): LogRecord {
  return {
    severity: error === null ? "I" : "E",
    timeMs,
    timeZone: "local",
    pid: 1,
    source: "x.go",
    verbosity: level,
    message,
    error: error ?? undefined,
    values: Object.fromEntries(values),
  };
}

function verdictOnText(logged: Logged, go: string): Verdict {
  // The oracle's pid is its own.
  const theirs = go.replace(/^(\S+ \S+) +\d+ /, "$1       1 ");
  const ours = formatKlog(recordOf(logged));
  if (ours === theirs) return AGREES;
  const escaped = escapedLists(escapedBlocks(theirs));
  if (ours === escaped) return wantedBecause("a value of several lines and a list cannot control a terminal either");
  if (ours === withNewCharacters(escaped)) return wantedBecause(NEW_CHARACTERS);
  return same(ours, theirs);
}

function verdictOnJson(logged: Logged, go: string): Verdict {
  const ours = formatJson(recordOf(logged));
  if (ours.trimEnd().includes("\n")) return same(ours, "one line");
  return same(entriesOf(ours), entriesOf(go));
}

/** Escapes the lines of values that have several: they begin with a tab. */
function escapedBlocks(line: string): string {
  return line.replace(/(?<=\n)\t[^\n]*/g, (each) => each.split("\t").map(escapeUnprintable).join("\t"));
}

/** Escapes what is left in lists, which are JSON. */
function escapedLists(line: string): string {
  return line.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} \n\t]/gu, (found) => {
    return Array.from(found.split(""), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  });
}

/** In their order; the time is each side's own. */
function entriesOf(line: string): readonly (readonly [string, unknown])[] {
  return Object.entries(JSON.parse(line) as object).filter(([name]) => name !== "ts");
}
