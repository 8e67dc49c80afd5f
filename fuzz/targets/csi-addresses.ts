import * as fc from "fast-check";
import { MAX_SOCKET_PATH_BYTES, parseCsiAddress } from "../../src/driver/address";
import { nearly, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";

const SCHEMES = [
  "",
  "",
  "unix:",
  "unix://",
  "UNIX:",
  "Unix://",
  "unix-abstract:",
  "tcp://",
  "dns:///",
  "passthrough:///",
];
const PARTS = [
  "/",
  "/",
  "csi",
  "csi.sock",
  "..",
  ".",
  "//",
  " ",
  "%20",
  "%zz",
  "%",
  "?a",
  "#b",
  "@",
  ":80",
  "é",
  "\\",
  "~",
  "a".repeat(50),
];

const inputs = nearly(fc.tuple(fc.constantFrom(...SCHEMES), words(PARTS, 6)).map((parts) => parts.join("")));

export const csiAddresses = createTarget({
  name: "csi-addresses",
  against: "grpc-go's resolver of unix sockets, as csi-lib-utils uses it",
  weight: 1,
  inputs,
  batchSize: 2_000,
  open: async () => compare(await startGoOracle<string, string | null>("socket"), verdictOn),
});

function verdictOn(text: string, go: string | null): Verdict {
  const ours = parseCsiAddress(text);
  const path = ours.kind === "socket" ? ours.path : undefined;
  const isUsable = go?.startsWith("/") === true && Buffer.byteLength(go) <= MAX_SOCKET_PATH_BYTES;
  const theirs = isUsable ? go : undefined;
  if (path === theirs) return AGREES;
  // Other forms than "/..." and "unix://..." are URLs to grpc-go.
  if (!/^(?:\/|unix:\/\/)/.test(text) && /[%?#@\\ ]/.test(text)) {
    return wantedBecause("a path is taken as it is written, where grpc-go reads some forms as a URL");
  }
  if (path === undefined && /\p{Cc}/u.test(text)) return wantedBecause("control characters are most likely a mistake");
  return same(ours, go);
}
