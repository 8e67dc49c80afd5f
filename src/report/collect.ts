import { errorText } from "../base/errors";
import { readText } from "../base/reads";
import type { Invocation } from "../base/shell-command";
import { inspectDriver } from "../inspection/inspection";
import type { NodeView } from "../inspection/node-view";
import type { DriverReport } from "../inspection/report";
import { surveyNode } from "../inspection/survey";
import { createSlots } from "../node/descriptors";
import type { RunningKubelet } from "../processes/running-kubelets";
import { inspectionMembers, nodeMembers } from "../terminal/json";
import { findIncidents } from "./incidents";
import { findKubeletsOf } from "./kubelets";
import { type CsiMount, csiMountsIn, redactMounts } from "./mounts";
import { redactDocument, type Redaction } from "./redact";
import { readVersions } from "./versions";

export interface ReportOptions {
  readonly node: NodeView;
  readonly self: Invocation;
  readonly probeTimeoutMs: number;
  readonly redacts: boolean;
  /** `host:port`; undefined is none. */
  readonly monitor: string | undefined;
  readonly incidentDir: string | undefined;
  readonly onProgress: (line: string) => void;
}

/** A report, and what a line about it says. */
export interface NodeTicket {
  /** The members of a document of the kind `Report`. */
  readonly members: object;
  readonly drivers: number;
  /** Whether every driver of the node could be seen. */
  readonly complete: boolean;
  readonly redactions: readonly Redaction[];
}

/**
 * Gathers what a driver's vendor asks for. It ends in time whatever hangs, and says in notes what it could not see.
 * Never rejects.
 */
export async function collectReport(options: ReportOptions): Promise<NodeTicket> {
  const { node, probeTimeoutMs, onProgress } = options;
  const createdAt = new Date().toISOString();
  const survey = await surveyNode(node, {
    probeTimeoutMs,
    driver: undefined,
    wide: true,
    onProgress: (asked, total) => onProgress(`asked ${asked} of ${total} drivers ...`),
  });
  const drivers = survey.drivers.filter(({ outcome }) => outcome.kind !== "notCsi");
  const { inspections, notes: faults } = await inspectAll(drivers, options);
  onProgress("reading versions, mounts and incidents ...");
  const kubelets = await findKubeletsOf(node);
  const mounts = readMounts(node, kubelets);
  const [{ versions, notes: unread }, { incidents, notes }] = await Promise.all([
    readVersions(node, kubelets),
    findIncidents(options.monitor, options.incidentDir, probeTimeoutMs),
  ]);
  const content = {
    versions,
    drivers: nodeMembers(survey),
    inspections,
    mounts: mounts.lines,
    incidents,
    notes: [...faults, ...unread, ...mounts.notes, ...notes],
  };
  const known = { drivers: drivers.length, complete: survey.complete };
  if (!options.redacts)
    return { members: { createdAt, redacts: false, redactions: [], ...content }, redactions: [], ...known };
  const cut = redactMounts(mounts.lines, "mounts");
  const { part, redactions: others } = redactDocument({ ...content, mounts: cut.part });
  const redactions = [...cut.redactions, ...others];
  return { members: { createdAt, redacts: true, redactions, ...part }, redactions, ...known };
}

/** As many at once as this: each looks at every process of the node. */
const AT_ONCE = 8;

/** The inspections that were made, in the order of the drivers. */
async function inspectAll(drivers: readonly DriverReport[], options: ReportOptions) {
  const { node, self, probeTimeoutMs, onProgress } = options;
  const slots = createSlots();
  const waiting = drivers.values();
  const inspected = new Map<DriverReport, object>();
  const notes: string[] = [];
  const work = async (): Promise<void> => {
    for (const driver of waiting) {
      onProgress(`inspected ${inspected.size} of ${drivers.length} drivers ...`);
      const { socket: socketPath } = driver;
      // Nobody has typed the path: a registration may name any.
      const asking = { node, self, socketPath, probeTimeoutMs, byName: true, nodeInfo: false, onWait: () => {} };
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
        inspected.set(driver, inspectionMembers(await slots.use(() => inspectDriver(asking))));
      } catch (error) {
        // A fault of ours must not cost the rest of the report.
        notes.push(`${socketPath} could not be inspected: ${errorText(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { inspections: drivers.flatMap((driver) => inspected.get(driver) ?? []), notes };
}

/** The mount tables of the kubelets, which have all volumes; ours where none can be read. */
function readMounts(
  { procDir, root, kubelets }: NodeView,
  running: readonly RunningKubelet[],
): { readonly lines: readonly CsiMount[]; readonly notes: readonly string[] } {
  const directories = kubelets.roots.map(({ realPath }) => realPath);
  const tables = running.map(({ pid }) => readText(`${procDir}/${pid}/mountinfo`)).filter((text) => text !== "");
  const lines = tables.flatMap((text) => csiMountsIn(text, "", directories));
  // Several kubelets may share a mount namespace.
  if (tables.length > 0)
    return { lines: [...new Map(lines.map((line) => [JSON.stringify(line), line])).values()], notes: [] };
  const why = running.length === 0 ? "no running kubelet was found" : "the kubelet's mount table cannot be read";
  return {
    lines: csiMountsIn(readText("/proc/self/mountinfo"), root.outerPath("/").replace(/\/$/, ""), directories),
    notes: [`${why}, so the mounts are those that are seen from here`],
  };
}
