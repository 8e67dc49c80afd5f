import type { DriverReport, NodeReport } from "../inspection/report";
import { type Invocation, ownCommand } from "../base/shell-command";
import { NOT_ITS_OWN_NAME } from "./list-table";

export interface SummaryStyle {
  /** The terminal's width; undefined where it is no terminal. */
  readonly columns: number | undefined;
}

/**
 * The last lines of `list`: what the mark behind a name means, where there is one, and how the node's drivers are, such as
 * `9 drivers: 5 ready, 3 failed, 1 not ready; next: livenessprobe inspect red.csi.example`. Empty where there is no driver.
 * With a newline at its end. The command to paste is never broken, and has a line of its own where it does not fit.
 *
 * @param self how `list` was started: the next command is started likewise
 */
export function renderNodeSummary(
  { drivers, complete }: NodeReport,
  self: Invocation,
  { columns = Infinity }: SummaryStyle,
): string {
  const counted = drivers.filter(({ outcome }) => outcome.kind !== "notCsi");
  if (counted.length === 0) return "";
  const counts = COUNTED.map(({ words, holds }) => ({ words, count: counted.filter(holds).length }));
  const parts = counts.filter(({ count }) => count > 0).map(({ words, count }) => `${count} ${words}`);
  const state = `${counted.length} ${counted.length === 1 ? "driver" : "drivers"}: ${parts.join(", ")}`;
  // What is not to be connected to has its reason in its row, and its path may be anybody's invention.
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

/** By the driver's name where it is a name and nobody else's, else by its socket. */
function inspection(
  { driver, socket }: DriverReport,
  drivers: readonly DriverReport[],
  self: Invocation,
): string | undefined {
  const isUnique = drivers.filter((each) => each.driver === driver || each.socket.includes(`/${driver}/`)).length === 1;
  const target = driver !== undefined && isUnique && NAME.test(driver) ? driver : socket;
  return ownCommand(self, ["inspect", target]);
}

// CSI specification, GetPluginInfo: a domain name.
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
