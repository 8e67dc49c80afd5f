import { errorText } from "../../base/errors";
import type { NodeView } from "../../inspection/node-view";
import type { Logger } from "../../log/logger";
import { podOf } from "../driver-process";
import type { DriverRecord } from "../driver-record";
import type { Hang } from "../held-call";
import type { WatchedNode } from "../watch";
import { readContainerLog } from "./container-log";
import { type EvidenceOptions, gatherEvidence } from "./evidence";
import type { IncidentLog } from "./incident-log";

export interface InspectionsOptions extends Omit<EvidenceOptions, "node" | "socketPath" | "hang" | "pid">, WatchedNode {
  readonly incidents: IncidentLog;
  /** Whether the last lines of the container's log go into an incident's file. */
  readonly incidentLogs: boolean;
  readonly logger: Logger;
}

/** Inspects drivers whose incidents were just opened, one after the other: each may have to look at every process. */
export function createInspections(options: InspectionsOptions) {
  const { incidents, incidentLogs, logger } = options;
  let last: Promise<void> = Promise.resolve();

  async function inspect(record: DriverRecord, id: string, hang: EvidenceOptions["hang"]): Promise<void> {
    const node = options.view();
    const pid = record.process?.listener.pid;
    try {
      const report = await gatherEvidence({ ...options, node, socketPath: record.path, hang, pid });
      incidents.addEvidence(id, record, report, incidentLogs ? logOf(node, pid) : undefined);
    } catch (error) {
      logger.error(errorText(error), "An inspection failed", { incident: id });
    }
  }

  return (record: DriverRecord, hang: Hang | undefined): void => {
    const incident = record.incident?.incident;
    if (incident === undefined) return;
    const { message, id } = incident;
    const done = last.then(() => inspect(record, id, hang && { hang, message }));
    last = done;
    // An inspection makes a connection, unless one is kept open.
    if (hang === undefined) record.inspecting = done.finally(() => (record.inspecting = undefined));
  };
}

function logOf(node: NodeView, pid: number | undefined): readonly string[] | undefined {
  const pod = pid === undefined ? undefined : podOf(node, pid);
  return pod && readContainerLog(node.root, pod);
}
