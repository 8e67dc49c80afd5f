/** Whether an error with this code, such as `EMFILE`, says that this process or its machine is short of something. */
export function isShortage(code: string): boolean {
  return describeShortage(code) !== undefined;
}

/** What is short, and how to get more. Undefined where the code is of another kind. Needs no free descriptor. */
export function describeShortage(code: string): string | undefined {
  switch (code) {
    case "EMFILE":
      return `too many open files here: the limit is ${openFilesLimit() ?? "unknown"} (${code}); raise it (ulimit -n, nofile)`;
    case "ENFILE":
      return `too many open files on this machine (${code}); see /proc/sys/fs/file-nr`;
    case "ENOMEM":
    case "ENOBUFS":
      return `out of memory (${code}); raise the memory limit of this process`;
    default:
      return undefined;
  }
}

/** The soft limit of open files (getrlimit(2), RLIMIT_NOFILE); undefined where there is none, or it is not known. */
export function openFilesLimit(): number | undefined {
  // The report's type is only `object`. Reading /proc/self/limits would take a descriptor.
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : undefined;
}
