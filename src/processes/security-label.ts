import { readText, valueOf } from "../node/reads";

/** What a Linux security module calls a process. */
export type SecurityLabel =
  /** Such as `system_u:system_r:container_t:s0:c1,c2`. */
  | { readonly module: "SELinux"; readonly label: string }
  /** Such as `cri-containerd.apparmor.d (enforce)`. */
  | { readonly module: "AppArmor"; readonly label: string };

/**
 * Reads a process's label: undefined where no module gives it one, or it is `unconfined`.
 *
 * That of a socket's file is not to be had: it takes getxattr(2), and the runtime calls native code only with its JIT, which
 * is off. SELinux also asks for the label of the process that listens (`unix_stream_socket connectto`), which is here.
 *
 * @param pid a process, or `self`
 */
export function readSecurityLabel(procDir: string, pid: number | "self"): SecurityLabel | undefined {
  const attributes = `${procDir}/${pid}/attr`;
  // AppArmor has files of its own since Linux 5.8; `current` belongs to the first module that is there.
  const own = labelIn(`${attributes}/apparmor/current`);
  const label = own ?? labelIn(`${attributes}/current`);
  if (label === undefined || label === "unconfined") return undefined;
  const isAppArmor = own !== undefined || !SELINUX_CONTEXT.test(label);
  return { module: isAppArmor ? "AppArmor" : "SELinux", label };
}

// user:role:type, and in most policies a range.
const SELINUX_CONTEXT = /^[^:\s]+:[^:\s]+:[^:\s]+(:\S+)?$/;

function labelIn(path: string): string | undefined {
  const label = valueOf(readText(path))?.replace(/[\0\n]+$/, "");
  return label === "" ? undefined : label;
}
