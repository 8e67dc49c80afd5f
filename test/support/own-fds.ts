import { readdirSync, readlinkSync } from "node:fs";

/** How many sockets this process holds. Other descriptors come and go with the runtime, and with what a test reads. */
export function ownSockets(): number {
  return readdirSync("/proc/self/fd").filter(isSocket).length;
}

function isSocket(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
  } catch {
    // The descriptor of the listing itself is gone by now.
    return false;
  }
}
