import { closeSync, constants, openSync, readSync } from "node:fs";
import { attempt, errorCode } from "../base/errors";
import { containerIdsOf } from "./cgroups";

/** How long reading may take, in milliseconds: it does not yield. */
const BOUND_MS = 200;
/** The longest record (Linux, include/linux/printk.h, `PRINTK_MESSAGE_MAX`: 2 KiB, and 8 KiB before 6.6). */
const RECORD_BYTES = 8_192;

/**
 * Reads the records of the kernel's log, the oldest first (Linux, Documentation/ABI/testing/dev-kmsg). None if it may
 * not be read: that needs the device, which only a privileged container has, and CAP_SYSLOG where
 * `kernel.dmesg_restrict` is 1. Never throws.
 */
export function readKernelLog(): readonly string[] {
  const fd = attempt(() => openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK));
  if (fd === undefined) return [];
  const records: string[] = [];
  const bytes = Buffer.alloc(RECORD_BYTES);
  const end = performance.now() + BOUND_MS;
  while (performance.now() < end) {
    try {
      records.push(bytes.toString("latin1", 0, readSync(fd, bytes)));
    } catch (error) {
      // EPIPE: the next record was overwritten. EAGAIN: there is no more.
      if (errorCode(error) !== "EPIPE") break;
    }
  }
  closeSync(fd);
  return records;
}

/**
 * Counts the processes of a pod that the kernel killed because memory ran out. The log does not reach back without end,
 * so there may have been more.
 */
export function countLoggedOomKills(records: readonly string[], podUid: string): number {
  return records.filter((record) => {
    const path = OOM_KILL.exec(record)?.[2];
    return path !== undefined && containerIdsOf([{ controllers: [], path }]).podUid === podUid;
  }).length;
}

// Linux, mm/oom_kill.c, `dump_oom_victim`, since 5.0. Priorities above 7 are of lines that a process has written. The
// victim's group is below the one that ran out, so no group's name can pretend to be another line.
const OOM_KILL = /^[0-7],[^;]*;oom-kill:.*?,(?:oom_memcg=(\/.*?)|global_oom),task_memcg=(\1.*?),task=/;
