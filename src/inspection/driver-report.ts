import { type DriverAnswers, slowMs } from "./questions";
import { driverDirectoryOf, type NodeView } from "./node-view";
import { isCsiRegistration, type Registration, registrationsOf, type Told } from "./registrations";
import type { DriverOutcome, DriverReport, ListenerReport } from "./report";
import type { NodeSocket } from "../node/socket-search";
import { quote } from "../base/text";

/** A row of `list`, and what there is to say of it besides. */
export interface Surveyed {
  readonly report: DriverReport;
  /** All that the driver may be called: what it told, what was registered for it, and its directory's name. */
  readonly names: ReadonlySet<string>;
  /** What does not fit together, in sentences. */
  readonly notes: readonly string[];
}

export interface Circumstances {
  readonly listener: ListenerReport | undefined;
  readonly registrations: readonly Registration[];
  readonly node: NodeView;
  readonly probeTimeoutMs: number;
}

/**
 * Puts together what a socket answered and what is said of it elsewhere. What it answers counts: anybody may say the
 * rest.
 */
export function reportDriver(socket: NodeSocket, answers: DriverAnswers, circumstances: Circumstances): Surveyed {
  const { listener, registrations, node, probeTimeoutMs } = circumstances;
  const here = registrationsOf(socket, registrations);
  const csi = here.filter(isCsiRegistration);
  const others = here.filter((each) => !isCsiRegistration(each));
  const directory = driverDirectoryOf(node, socket.path);
  const registered = [...new Set(csi.map(({ info }) => info.name))];
  const outcome = outcomeOf(answers, csi, others);
  const isOther = outcome.kind === "notCsi";
  const name = nameOf(answers.name, isOther ? others.map(({ info }) => info.name) : registered, directory);
  const announced = (isOther ? here : csi).length > 0;
  return {
    report: {
      socket: socket.path,
      ...name,
      vendorVersion: answers.vendorVersion,
      outcome,
      connectMs: answers.connectMs,
      callMs: answers.callMs,
      slow: slowMs(answers, probeTimeoutMs) !== undefined,
      announced: announced ? "yes" : registrations.some(({ kind }) => kind === "silent") ? "unknown" : "no",
      // A process of root's may hold a socket that somebody else bound to this path over another file.
      listener: outcome.kind === "failed" && outcome.reason === "nobody_listens" ? undefined : listener,
      capabilities: answers.capabilities,
    },
    names: new Set([answers.name, ...registered, directory].flatMap((each) => each ?? [])),
    notes: [
      ...(isOther ? [] : others.map((told) => typeNote(told, socket))),
      ...csi.flatMap((told) => nameNote(told, answers.name)),
    ],
  };
}

/** A row for each driver that is announced with a path that is not connected to. */
export function reportElsewhere(registrations: readonly Registration[]): readonly Surveyed[] {
  return registrations.filter(isCsiRegistration).flatMap(({ info, target }) => {
    if (target.kind !== "elsewhere") return [];
    const { path: socket, outcome } = target;
    const driver = info.name;
    const report = { driver, nameSource: "registration", socket, outcome, slow: false, announced: "yes" } as const;
    return [{ report, names: new Set([driver]), notes: [] }];
  });
}

/**
 * What is registered as a CSI driver and does not answer as one has failed. What is registered as something else has
 * not failed where it does not answer as a CSI driver; a registration alone never makes it so.
 */
function outcomeOf({ outcome, notCsi }: DriverAnswers, csi: readonly Told[], others: readonly Told[]): DriverOutcome {
  if (notCsi === undefined || csi.length > 0) return outcome;
  return { kind: "notCsi", what: others[0]?.info.type || notCsi };
}

function nameOf(
  told: string | undefined,
  registered: readonly string[],
  directory: string | undefined,
): Pick<DriverReport, "driver" | "nameSource"> {
  if (told !== undefined) return { driver: told, nameSource: "driver" };
  const [only, ...more] = registered;
  // Of two that are registered none is guessed.
  if (only !== undefined && only !== "" && more.length === 0) return { driver: only, nameSource: "registration" };
  return directory === undefined ? {} : { driver: directory, nameSource: "directory" };
}

function typeNote({ socket, info }: Told, { path }: NodeSocket): string {
  return `registration socket ${socket.path} announces ${path} as ${quote(info.type)}, which does not make it one: it was asked as a CSI driver`;
}

function nameNote({ socket, info }: Told, told: string | undefined): readonly string[] {
  if (told === undefined || told === info.name) return [];
  return [
    `registration socket ${socket.path} announces ${quote(info.name)}, but the driver calls itself ${quote(told)}`,
  ];
}
