import type { CommandOf, ProcessContext } from "../cli/command";
import type { Invocation } from "../base/shell-command";
import { readInvocation } from "../cli/operator-options";
import { REPORT_ARGS, readReportOptions, type ReportOptions } from "../cli/report-options";
import { openNode } from "../inspection/node-view";
import { collectReport, type NodeTicket } from "../report/collect";
import { writePrivately } from "../report/private-file";
import { renderDocument } from "../terminal/json";
import { startProgress } from "../terminal/progress";

/** `livenessprobe report`: one document for a vendor's ticket. */
export function defineReport(context: ProcessContext): CommandOf<typeof REPORT_ARGS> {
  return {
    meta: {
      name: "report",
      description: "Write one JSON document for a vendor's ticket, with what looks like a secret cut out.",
    },
    args: REPORT_ARGS,
    notes: [
      "No volume is touched. docs/debugging.md says what is cut and what is kept.",
      "",
      "Exit codes:",
      "  0 the report was written, whatever the drivers' states",
      "  1 usage error, or it cannot be written",
    ],
    run: ({ args, given }) => report(readReportOptions(args), readInvocation(given, context.program()), context),
  };
}

async function report(options: ReportOptions, self: Invocation, context: ProcessContext): Promise<number> {
  const { file, redacts } = options;
  if (!redacts) context.writeError(`${UNREDACTED}\n`);
  if (file === undefined) {
    context.writeOut(renderTicket(await collect(options, self, context)));
    return 0;
  }
  let ticket: NodeTicket | undefined;
  const path = await writePrivately(file, context.onInterrupt, async () => {
    ticket = await collect(options, self, context);
    return renderTicket(ticket);
  });
  if (ticket !== undefined) context.writeError(`${summaryOf(ticket, path)}\n`);
  return 0;
}

const UNREDACTED =
  "warning: with --redact=off the report has all mount options, the messages of drivers and the logs of containers as they are, " +
  "with any password, token or key in them: read it before you send it";

async function collect(options: ReportOptions, self: Invocation, context: ProcessContext): Promise<NodeTicket> {
  const node = await openNode(options);
  using progress = startProgress(context);
  // Awaited here: the progress line is erased when this returns.
  return await collectReport({ ...options, node, self, onProgress: progress.show });
}

function renderTicket({ members }: NodeTicket): string {
  return renderDocument("Report", members);
}

/** Such as `wrote /tmp/report.json: 3 drivers; redacted 3 texts: mount option (2), token (1)`. */
function summaryOf({ drivers, redactions, complete }: NodeTicket, path: string): string {
  const counts = new Map<string, number>();
  for (const { kind, count } of redactions) counts.set(kind, (counts.get(kind) ?? 0) + count);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...counts].map(([kind, count]) => `${kind} (${count})`).join(", ");
  const cut = total === 0 ? "nothing was redacted" : `redacted ${total} ${total === 1 ? "text" : "texts"}: ${kinds}`;
  return `wrote ${path}: ${drivers} ${drivers === 1 ? "driver" : "drivers"}; ${cut}${missingFrom(drivers, complete)}`;
}

/** A report without a driver, or without all of them, is seldom the one that was wanted. */
function missingFrom(drivers: number, complete: boolean): string {
  if (!complete) return "; not every driver could be seen: see .drivers.notes";
  return drivers === 0 ? "; no driver was found: see .drivers.looked" : "";
}
