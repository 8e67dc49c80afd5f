import { readdirSync, readFileSync } from "node:fs";
import { createCounter, type Family, gaugeOf } from "./exposition";

/**
 * The standard `process_*` metrics of Prometheus client libraries, read from `/proc/self` at each scrape. The start time
 * is not among them: it has the HELP text of the Go sidecar.
 */
export function readProcessMetrics(): readonly Family[] {
  const stat = readStat();
  const limits = readFileSync("/proc/self/limits", "utf8");
  return [
    counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", stat.cpuSeconds),
    gaugeOf("process_open_fds", "Number of open file descriptors.", readdirSync("/proc/self/fd").length),
    gaugeOf("process_max_fds", "Maximum number of open file descriptors.", softLimit(limits, "Max open files")),
    gaugeOf("process_virtual_memory_bytes", "Virtual memory size in bytes.", stat.virtualBytes),
    gaugeOf(
      "process_virtual_memory_max_bytes",
      "Maximum amount of virtual memory available in bytes.",
      softLimit(limits, "Max address space"),
    ),
    gaugeOf("process_resident_memory_bytes", "Resident memory size in bytes.", stat.residentBytes),
  ];
}

/** The soft limit of open files, which limits the number of connections. */
export function readMaxOpenFiles(): number {
  return softLimit(readFileSync("/proc/self/limits", "utf8"), "Max open files");
}

// Linux reports times in USER_HZ, which is 100 on every architecture that Bun runs on.
const TICKS_PER_SECOND = 100;
const UNLIMITED = 2 ** 64;

function counter(name: string, help: string, value: number): Family {
  const family = createCounter({ name, help });
  family.set([], value);
  return family;
}

interface Stat {
  readonly cpuSeconds: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
}

// proc_pid_stat(5): utime and stime are fields 14 and 15, vsize is 23; the name in field 2 may hold spaces.
function readStat(): Stat {
  const text = readFileSync("/proc/self/stat", "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    virtualBytes: field(23),
    residentBytes: process.memoryUsage.rss(),
  };
}

function softLimit(limits: string, name: string): number {
  const line = limits.split("\n").find((candidate) => candidate.startsWith(name)) ?? "";
  const soft = line.slice(name.length).trim().split(/\s+/)[0];
  return soft === undefined || soft === "unlimited" ? UNLIMITED : Number(soft);
}
