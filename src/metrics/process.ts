import { readdirSync, readFileSync } from "node:fs";
import { counterOf, type Family, gaugeOf } from "./exposition";

/**
 * The standard `process_*` metrics of Prometheus client libraries, read from `/proc/self` at each scrape. The start
 * time is not among them: it has the HELP text of the Go sidecar.
 */
export function readProcessMetrics(): readonly Family[] {
  // proc_pid_stat(5): utime and stime are fields 14 and 15, vsize is 23; the name in field 2 may hold spaces.
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const limits = readFileSync("/proc/self/limits", "utf8");
  const cpuSeconds = (field(14) + field(15)) / TICKS_PER_SECOND;
  const maxVirtual = softLimit(limits, "Max address space");
  return [
    counterOf("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", cpuSeconds),
    gaugeOf("process_open_fds", "Number of open file descriptors.", readdirSync("/proc/self/fd").length),
    gaugeOf("process_max_fds", "Maximum number of open file descriptors.", softLimit(limits, "Max open files")),
    gaugeOf("process_virtual_memory_bytes", "Virtual memory size in bytes.", field(23)),
    gaugeOf("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", maxVirtual),
    gaugeOf("process_resident_memory_bytes", "Resident memory size in bytes.", process.memoryUsage.rss()),
  ];
}

/** The soft limit of open files, which limits the number of connections. */
export function readMaxOpenFiles(): number {
  return softLimit(readFileSync("/proc/self/limits", "utf8"), "Max open files");
}

// Linux reports times in USER_HZ, which is 100 on every architecture that Bun runs on.
const TICKS_PER_SECOND = 100;

function softLimit(limits: string, name: string): number {
  const line = limits.split("\n").find((candidate) => candidate.startsWith(name)) ?? "";
  const soft = line.slice(name.length).trim().split(/\s+/)[0];
  return soft === undefined || soft === "unlimited" ? 2 ** 64 : Number(soft);
}
