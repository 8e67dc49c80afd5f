import { readText } from "../base/reads";

/** What this process may do to files. */
export interface Rights {
  /** Its effective user id. */
  readonly uid: number;
  /** The group of the process and its supplementary ones. */
  readonly groups: readonly number[];
  /** Those of the effective capabilities that matter for file permissions (capabilities(7)). */
  readonly capabilities: readonly FileCapability[];
  /** Whether it runs in a user namespace that does not know every uid: files of the others seem to belong to 65534. */
  readonly ownUserNamespace: boolean;
}

export type FileCapability = "DAC_OVERRIDE" | "DAC_READ_SEARCH";

/** Bits of the capability sets, in linux/capability.h. */
const CAPABILITY_BITS = { DAC_OVERRIDE: 1n, DAC_READ_SEARCH: 2n } as const;

/** Reads the rights of this process from /proc (proc_pid_status(5)). Never throws: what cannot be read is not there. */
export function readRights(): Rights {
  const uid = process.geteuid?.() ?? 0;
  return { uid, ...parseRights(readText("/proc/self/status"), readText("/proc/self/uid_map")) };
}

/**
 * @param status the text of `/proc/PID/status`
 * @param uidMap that of `/proc/PID/uid_map`
 */
export function parseRights(status: string, uidMap: string): Omit<Rights, "uid"> {
  const fieldsOf = (name: string) => new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.match(/\b\d+\b/g) ?? [];
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const has = (name: FileCapability) => ((effective >> CAPABILITY_BITS[name]) & 1n) === 1n;
  return {
    // Real, effective, saved and file system's: the last one counts for files.
    groups: [...new Set([...fieldsOf("Gid").slice(3), ...fieldsOf("Groups")].map(Number))],
    capabilities: (["DAC_OVERRIDE", "DAC_READ_SEARCH"] as const).filter(has),
    ownUserNamespace: uidMap !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
  };
}
