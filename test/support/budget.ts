/**
 * What the sidecar may cost, in figures that are the same from run to run: measured, and 15 % of room. Times are not
 * among them, for machines are noisy; `bun run bench` measures those.
 */
export const BUDGET = {
  /** Anonymous memory at rest before the first probe; 7.7 MiB measured, without the environment of the image. */
  idleAnonymousKib: 9_070,
  /** The same after 2,000 probes; 8.7 MiB measured. */
  restedAnonymousKib: 10_250,
  /**
   * The peak of all resident memory with 500 callers at once, most of it the executable's own pages in the cache; 49.4
   * MiB measured.
   */
  peakResidentKib: 58_200,
  /** Threads after that; 7 measured. */
  threads: 8,
  /** Open descriptors at rest; 8 measured, or 9 with one inherited, and the same after any number of probes. */
  fds: 10,
  /** Modules that `serve` loads; 52 measured. */
  modules: 59,
  /**
   * Modules among them that are not ours: citty's two, and the part of grpc-js that makes statuses of HTTP/2 events.
   */
  foreignModules: 9,
} as const;
