import type { DriverReport, NodeReport } from "../inspection/report";
import { type Invocation, ownCommand, shellCommand } from "../base/shell-command";
import { oneLine } from "../base/text";
import { wrapWords } from "./layout";
import { NOT_ITS_OWN_NAME } from "./list-table";
import type { Style } from "./style";

/** Who looked at the node. */
export interface Looker {
  /** Our own effective user id. */
  readonly uid: number;
  /** How `list` was started: the next command is started likewise. */
  readonly self: Invocation;
}

/**
 * Lines for standard error: why no driver was found, what to run where we may not look or connect, and the report's
 * notes. Each ends with a newline. Commands to paste are never broken.
 */
export function renderNodeNotes(
  report: NodeReport,
  looker: Looker,
  { columns = Infinity }: Pick<Style, "columns">,
): string {
  const wrap: Wrap = (text, indent = "") =>
    wrapWords(oneLine(text, MAX_TEXT_BYTES), columns - indent.length).map((line) => indent + line);
  const { notes } = report;
  const lines = [
    ...(report.drivers.some(countsAsDriver) ? [] : noneFound(report, looker, wrap)),
    ...(everyDriverRefuses(report) ? adviceOn("connect to any driver", "DAC_OVERRIDE", looker, wrap) : []),
    ...notes.slice(0, MAX_NOTES).flatMap((note) => wrap(`note: ${note}`)),
    ...(notes.length > MAX_NOTES ? wrap(`note: and ${notes.length - MAX_NOTES} more: see -o json`) : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const MAX_TEXT_BYTES = 4_096;

/** How many notes are shown: they must not push the table out of sight. */
const MAX_NOTES = 20;

type Wrap = (text: string, indent?: string) => readonly string[];

function noneFound({ looked, notes, denied, absent }: NodeReport, looker: Looker, wrap: Wrap): readonly string[] {
  if (denied.length > 0) return adviceOn(`look into ${denied.join(", ")}`, "DAC_READ_SEARCH", looker, wrap);
  if (absent !== undefined) return wrap(absent);
  const unsaid = looked.filter((place) => !notes.some((note) => note.endsWith(` ${place}`)));
  const places = unsaid.flatMap((place) => wrap(place, "  "));
  return places.length === 0 ? ["No CSI driver found."] : ["No CSI driver found. It looked in:", ...places];
}

function everyDriverRefuses({ drivers }: NodeReport): boolean {
  const counted = drivers.filter(countsAsDriver);
  return (
    counted.length > 0 &&
    counted.every(({ outcome }) => outcome.kind === "failed" && outcome.reason === "permission_denied")
  );
}

function countsAsDriver({ outcome }: DriverReport): boolean {
  return outcome.kind !== "notCsi";
}

/** @param capability by which root may do it */
function adviceOn(what: string, capability: string, { uid, self: { flags } }: Looker, wrap: Wrap): readonly string[] {
  const remedy =
    uid === 0
      ? `Its capability ${capability} is missing, or SELinux, AppArmor or a user namespace is in the way. Run it privileged:`
      : "Run it as uid 0, or from where kubectl works:";
  const root = flags.includes("--root") ? [] : ["--root", "/host"];
  const command = shellCommand([...DEBUG_NODE.split(" "), "list", ...root, ...flags]);
  return [
    ...wrap(`Not permitted: uid ${uid} may not ${what}. ${remedy}`),
    ...(command === undefined ? [] : [`  ${command}`]),
  ];
}

const DEBUG_NODE =
  "kubectl debug node/NODE -n kube-system -it --profile=sysadmin --image=IMAGE -- /usr/bin/livenessprobe";

/**
 * The last lines of `list`: what the mark behind a name means, if there is one, and a summary such as
 * `9 drivers: 5 ready, 3 failed, 1 not ready; next: livenessprobe inspect red.csi.example`. Empty where there is no
 * driver. Ends with a newline. The command to paste is never broken; where it does not fit, it has a line of its own.
 */
export function renderNodeSummary(
  { drivers, complete }: NodeReport,
  self: Invocation,
  { columns = Infinity }: Pick<Style, "columns">,
): string {
  const counted = drivers.filter(countsAsDriver);
  if (counted.length === 0) return "";
  const counts = COUNTED.map(({ words, holds }) => ({ words, count: counted.filter(holds).length }));
  const parts = counts.filter(({ count }) => count > 0).map(({ words, count }) => `${count} ${words}`);
  const state = `${counted.length} ${counted.length === 1 ? "driver" : "drivers"}: ${parts.join(", ")}`;
  // The row of a driver that was not asked says why, and its path may be invented.
  const first = counted.find(({ outcome }) => outcome.kind !== "ready" && outcome.kind !== "notAsked");
  const next = first === undefined ? undefined : inspection(first, drivers, self);
  const start = `${state}${complete ? "" : "; there may be more: see the notes"}${next === undefined ? "" : "; next:"}`;
  const fits = `${start} ${next}`.length <= columns;
  return [
    ...(counted.some(isNamedByOthers) ? [`${NOT_ITS_OWN_NAME} ${NAMED_BY_OTHERS}`] : []),
    ...(next === undefined ? [start] : fits ? [`${start} ${next}`] : [start, `  ${next}`]),
    "",
  ].join("\n");
}

const NAMED_BY_OTHERS = "named after its directory or registration: it has not told its name";

const COUNTED: readonly { readonly words: string; readonly holds: (driver: DriverReport) => boolean }[] = [
  { words: "ready", holds: ({ outcome, slow }) => outcome.kind === "ready" && !slow },
  { words: "ready but slow", holds: ({ outcome, slow }) => outcome.kind === "ready" && slow },
  { words: "failed", holds: ({ outcome }) => outcome.kind === "failed" },
  { words: "not ready", holds: ({ outcome }) => outcome.kind === "notReady" },
  { words: "not asked", holds: ({ outcome }) => outcome.kind === "notAsked" },
];

function isNamedByOthers({ driver, nameSource }: DriverReport): boolean {
  return driver !== undefined && nameSource !== "driver";
}

/** By the driver's name where it is valid and no other driver has it, else by its socket. */
function inspection(
  { driver, socket }: DriverReport,
  drivers: readonly DriverReport[],
  self: Invocation,
): string | undefined {
  const isUnique = drivers.filter((each) => each.driver === driver || each.socket.includes(`/${driver}/`)).length === 1;
  return ownCommand(self, ["inspect", driver !== undefined && isUnique && NAME.test(driver) ? driver : socket]);
}

// CSI specification, GetPluginInfo: a domain name.
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
