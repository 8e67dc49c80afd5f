import type { DriverReport, NodeReport } from "../report";
import { outcomeMembers, renderDocument } from "./document";
import { tenths } from "./elapsed";

/** The drivers of a node as a JSON document of the kind `DriverList`. */
export function renderNodeJson({ drivers, looked, notes, complete }: NodeReport): string {
  return renderDocument("DriverList", { items: drivers.map(driverMembers), complete, looked, notes });
}

function driverMembers({ socket, driver, nameSource, vendorVersion, outcome, ...rest }: DriverReport): object {
  const { connectMs, callMs, slow, announced, listener, capabilities } = rest;
  return {
    socket,
    driver,
    nameSource,
    vendorVersion,
    ...outcomeMembers(outcome),
    connectMs: connectMs === undefined ? undefined : tenths(connectMs),
    callMs: callMs === undefined ? undefined : tenths(callMs),
    slow: slow || undefined,
    announced,
    listener: listener && { ...listener, state: listener.state.letter },
    capabilities,
  };
}
