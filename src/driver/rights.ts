import { readFileSync } from "node:fs";

/** What this process may do to files besides what its uid may. */
export interface Rights {
  /** The group of the process and its supplementary ones. */
  readonly groups: readonly number[];
  /** Those of the effective capabilities that matter for file permissions (capabilities(7)). */
  readonly capabilities: readonly FileCapability[];
  /** Whether it runs in a user namespace that does not know every uid: files of the others seem to belong to 65534. */
  readonly ownUserNamespace: boolean;
}

export type FileCapability = "DAC_OVERRIDE" | "DAC_READ_SEARCH";

/** Bits of the capability sets, in linux/capability.h. */
const CAPABILITY_BITS = [
  ["DAC_OVERRIDE", 1n],
  ["DAC_READ_SEARCH", 2n],
] as const satisfies readonly (readonly [FileCapability, bigint])[];

/** Reads the rights of this process from /proc (proc_pid_status(5)). Never throws: what cannot be read is not there. */
export function readRights(): Rights {
  return parseRights(readText("/proc/self/status"), readText("/proc/self/uid_map"));
}

/**
 * @param status the text of `/proc/PID/status`
 * @param uidMap that of `/proc/PID/uid_map`
 */
export function parseRights(status: string, uidMap: string): Rights {
  const fieldsOf = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  // Real, effective, saved and file system's: the last one counts for files.
  const group = fieldsOf("Gid")[3];
  const groups = [...(group === undefined ? [] : [group]), ...fieldsOf("Groups")].filter((text) => text !== "");
  const effective = BigInt(`0x${fieldsOf("CapEff")[0] ?? "0"}`);
  return {
    groups: [...new Set(groups.map(Number))],
    capabilities: CAPABILITY_BITS.flatMap(([name, bit]) => (((effective >> bit) & 1n) === 1n ? [name] : [])),
    ownUserNamespace: uidMap !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
