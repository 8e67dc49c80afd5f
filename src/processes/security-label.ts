import { readText, valueOf } from "../node/reads";

/** The label that a Linux security module has given a process. */
export type SecurityLabel =
  /** Such as `system_u:system_r:container_t:s0:c1,c2`. */
  | { readonly module: "SELinux"; readonly label: string }
  /** Such as `cri-containerd.apparmor.d (enforce)`. */
  | { readonly module: "AppArmor"; readonly label: string };

/**
 * Reads a process's label; undefined if no module gives it one, or if it is `unconfined`.
 *
 * The label of a socket's file takes getxattr(2), which this runtime cannot call without its JIT. But SELinux also checks the label of
 * the process that listens (`unix_stream_socket connectto`).
 */
export function readSecurityLabel(procDir: string, pid: number | "self"): SecurityLabel | undefined {
  const attributes = `${procDir}/${pid}/attr`;
  // AppArmor has its own files since Linux 5.8; `current` belongs to the first module.
  const own = labelIn(`${attributes}/apparmor/current`);
  const label = own ?? labelIn(`${attributes}/current`);
  if (label === undefined || label === "unconfined") return undefined;
  const isAppArmor = own !== undefined || !SELINUX_CONTEXT.test(label);
  return { module: isAppArmor ? "AppArmor" : "SELinux", label };
}

// user:role:type, and in most policies :range.
const SELINUX_CONTEXT = /^[^:\s]+:[^:\s]+:[^:\s]+(:\S+)?$/;

function labelIn(path: string): string | undefined {
  const label = valueOf(readText(path))?.replace(/[\0\n]+$/, "");
  return label === "" ? undefined : label;
}
