import type { Sidecar } from "./sidecar";
import { waitUntil } from "./wait";

/** So many looks in a row, 5 ms apart, that find the same number. */
const LOOKS = 20;

/** How many descriptors a sidecar has open when nothing is going on in it, and `isQuiet` holds outside of it. */
export async function quietFds(sidecar: Sidecar, isQuiet: () => boolean): Promise<number> {
  let fds = -1;
  let looks = 0;
  await waitUntil(() => {
    const now = sidecar.fds();
    looks = isQuiet() && now === fds ? looks + 1 : 0;
    fds = now;
    return looks >= LOOKS;
  }, "the sidecar to come to rest");
  return fds;
}
