import type { NodeReport } from "../inspection/report";
import { inspectionMembers, nodeMembers, renderDocument } from "../terminal/json";
import type { Incident } from "./incidents/incident";
import type { Documents } from "./routes";

/**
 * Makes the JSON documents of the HTTP API, and of the files. `docs/output.schema.json` describes them.
 *
 * @param node its name, undefined where it is not known
 */
export function createDocuments(node: string | undefined, readDrivers: () => NodeReport): Documents {
  return {
    drivers: () => renderDocument("DriverList", { node, ...nodeMembers(readDrivers()) }),
    incidents: (incidents) => renderDocument("IncidentList", { node, items: incidents.map(summaryMembers) }),
    incident: (incident) => renderDocument("Incident", { node, ...incidentMembers(incident) }),
  };
}

/** @param log the last lines of the container's log */
export function renderIncidentFile(
  incident: Incident,
  log: readonly string[] | undefined,
  node: string | undefined,
): string {
  return renderDocument("Incident", { node, ...incidentMembers(incident), log });
}

/** What a list has of each incident. */
function summaryMembers({ openedAtMs, closedAtMs, events, inspection, eventsLeftOut, ...members }: Incident): object {
  return {
    ...members,
    openedAt: new Date(openedAtMs).toISOString(),
    closedAt: closedAtMs === undefined ? undefined : new Date(closedAtMs).toISOString(),
    verdict: inspection?.verdict,
    events: events.length + eventsLeftOut,
  };
}

function incidentMembers(incident: Incident): object {
  const { events, eventsLeftOut, inspection } = incident;
  return {
    ...summaryMembers(incident),
    events: events.map(({ atMs, kind, ...members }) => ({ at: new Date(atMs).toISOString(), kind, ...members })),
    eventsLeftOut: eventsLeftOut === 0 ? undefined : eventsLeftOut,
    inspection: inspection && inspectionMembers(inspection),
  };
}
