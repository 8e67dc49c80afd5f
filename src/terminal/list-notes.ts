import type { DriverReport, NodeReport } from "../inspection/report";
import { oneLine } from "../base/text";
import { wrapWords } from "./layout";

export interface NotesStyle {
  /** The terminal's width; undefined where it is no terminal. */
  readonly columns: number | undefined;
}

/**
 * What is to be said besides the table, for standard error: where it looked when it found no driver, what to run instead when every
 * driver refuses us, and the report's notes. Empty, or lines with a newline at their end; commands to paste are never broken.
 *
 * @param uid our own effective user id
 */
export function renderNodeNotes(report: NodeReport, uid: number, { columns }: NotesStyle): string {
  const width = columns ?? Infinity;
  const wrap = (text: string): readonly string[] => wrapWords(oneLine(text, MAX_TEXT_BYTES), width);
  const lines = [
    ...noneFound(report).flatMap(wrap),
    ...(everyDriverRefuses(report) ? advice(uid, wrap) : []),
    ...report.notes.slice(0, MAX_NOTES).flatMap((note) => wrap(`note: ${note}`)),
    ...(report.notes.length > MAX_NOTES ? wrap(`note: and ${report.notes.length - MAX_NOTES} more: see -o json`) : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const MAX_TEXT_BYTES = 4_096;

/** So many are shown: who makes many must not hide the others' rows. */
const MAX_NOTES = 20;

function noneFound({ drivers, looked }: NodeReport): readonly string[] {
  if (drivers.some(countsAsDriver)) return [];
  return looked.length === 0
    ? ["No CSI driver found."]
    : ["No CSI driver found. It looked in:", ...looked.map((place) => `  ${place}`)];
}

function everyDriverRefuses({ drivers }: NodeReport): boolean {
  const counted = drivers.filter(countsAsDriver);
  const refusing = counted.filter(({ outcome }) => outcome.kind === "failed" && outcome.reason === "permission_denied");
  return counted.length > 0 && refusing.length === counted.length;
}

function countsAsDriver({ outcome }: DriverReport): boolean {
  return outcome.kind !== "notCsi";
}

function advice(uid: number, wrap: (text: string) => readonly string[]): readonly string[] {
  const why =
    uid === 0
      ? "Every driver refuses even uid 0: its capability DAC_OVERRIDE is missing, or SELinux, AppArmor or a user namespace is in the way. Run it privileged:"
      : `Every driver refuses uid ${uid}: connecting takes write permission on the socket. Run it as uid 0, or from where kubectl works:`;
  return [...wrap(why), `  ${DEBUG_NODE}`];
}

const DEBUG_NODE =
  "kubectl debug node/NODE -n kube-system -it --profile=sysadmin --image=IMAGE -- /usr/bin/livenessprobe list --root /host";
