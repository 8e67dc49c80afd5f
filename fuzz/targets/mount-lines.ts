import * as fc from "fast-check";
import { parseMountInfo } from "../../src/node/mounts";
import { nearly, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";

/** A line of mountinfo as github.com/moby/sys/mountinfo reads it; null where it cannot. */
type GoMount = readonly [root: string, mountPoint: string, fsType: string, options: string] | null;

const path = words(["/", "/", "mnt", "\\040", "\\134", "\\011", "\\", "-", "a", "é"], 5).map((text) => `/${text}`);
const line = fc
  .tuple(
    path,
    path,
    fc.array(fc.constantFrom("master:1", "shared:2", "x"), { maxLength: 2 }),
    fc.constantFrom("ext4", "fuse.sshfs", "nfs4"),
    fc.constantFrom("rw", "rw,a=b", "", "-", "rw,a b"),
  )
  .map(([root, point, optional, type, options]) =>
    ["36", "35", "98:0", root, point, "rw", ...optional, "-", type, "/dev/sda", options].join(" "),
  );

export const mountLines = createTarget({
  name: "mount-lines",
  against: "github.com/moby/sys/mountinfo, which container runtimes use",
  weight: 1,
  inputs: nearly(line).map((text) => text.replaceAll(/[\n\r]/g, "")),
  batchSize: 2_000,
  open: async () => compare(await startGoOracle<string, GoMount>("mount"), verdictOnLine),
});

function verdictOnLine(text: string, go: GoMount): Verdict {
  const [ours] = parseMountInfo(text);
  if (go === null) return ours === undefined ? AGREES : wantedBecause("a line with a fault elsewhere is still read");
  if (/ -.* - /.test(text)) return wantedBecause("the kernel writes one separator in a line");
  const [root, mountPoint, fsType, options] = go;
  if (!mountPoint.startsWith("/")) return same(ours, undefined);
  return same(ours, { fsRoot: root, mountPoint, fsType, superOptions: options.split(",") });
}
