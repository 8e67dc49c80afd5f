import * as fc from "fast-check";
import { MAX_SOCKET_PATH_BYTES, parseCsiAddress } from "../../src/driver/address";
import { parseListenAddress } from "../../src/http/listen-address";
import { nearly, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";

/** What net.Listen makes of it, or null where it cannot read it; `ip` is empty for a name. */
type GoAddress = { readonly host: string; readonly port: number; readonly ip: string; readonly every: boolean } | null;

const PORTS = [
  "0",
  "80",
  "9808",
  "65535",
  "65536",
  "0080",
  "http",
  "HTTP",
  "http-alt",
  "https",
  "ssh",
  "",
  "+80",
  "-0",
  "1e3",
  "99999999999999999999",
];
const HOSTS = [
  "",
  "localhost",
  "a.b-c_d",
  "10.0.0.1",
  "0.0.0.0",
  "127.1",
  "256.0.0.1",
  "010.0.0.1",
  "0",
  "fe80::1%eth0",
  "%eth0",
  "a b",
  "ä",
];
const hextets = fc.array(fc.constantFrom("0", "::", ":", "1", "ffff", "00000", "0000", "127.0.0.1", "0.0.0.0", "g"), {
  maxLength: 9,
});
const host = fc.oneof(
  fc.constantFrom(...HOSTS),
  fc.ipV6(),
  fc.ipV4(),
  hextets.map((parts) => parts.join("")),
);
const wellFormed = fc
  .tuple(host, fc.boolean(), fc.oneof(fc.constantFrom(...PORTS), fc.nat(70_000).map(String)))
  .map(([name, inBrackets, port]) => `${inBrackets || name.includes(":") ? `[${name}]` : name}:${port}`);
const listenInputs = nearly(fc.oneof(wellFormed, words([...HOSTS, ...PORTS, ":", "[", "]", "://", "/", "%"], 6)));

export const listenAddresses = createTarget({
  name: "listen-addresses",
  against: "net.SplitHostPort, net.LookupPort and netip.ParseAddr",
  weight: 2,
  inputs: listenInputs,
  batchSize: 2_000,
  open: async () => compare(await startGoOracle<string, GoAddress>("listen"), verdictOnListen),
});

function verdictOnListen(text: string, go: GoAddress): Verdict {
  const ours = parseListenAddress(text);
  if (go === null) return same(ours.kind, "invalid");
  if (ours.kind === "invalid") {
    const reason = reasonToRefuse(text, go);
    return reason === undefined ? same(ours, go) : wantedBecause(reason);
  }
  return same(
    { hostname: ours.hostname, port: ours.port },
    { hostname: go.every ? undefined : go.host, port: go.port },
  );
}

/** Why we refuse what Go would try to listen on. */
function reasonToRefuse(text: string, { host: name, ip }: NonNullable<GoAddress>): string | undefined {
  const port = text.slice(text.lastIndexOf(":") + 1);
  if (port === "") return "an empty port is most likely a mistake, and Go takes it for any free port";
  if (/^[-+]/.test(port)) return "a port has no sign";
  if (!/^\d+$/.test(port)) return "only the names of HTTP ports are known: a minimal image has no /etc/services";
  if (text.startsWith("[") && !name.includes(":")) return "brackets are for IPv6 addresses";
  if (/\p{Cc}/u.test(name)) return "control characters are in no name of a host or an interface";
  if (/%.*[^\w.:-]/su.test(name) || /%.*_/.test(name))
    return "an IPv6 zone is read with letters, digits, dots and dashes alone";
  if (ip === "" && !/^[a-z0-9._-]*$/i.test(name)) return "no host has such a name, and Go would ask DNS for it";
  return undefined;
}

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

const socketInputs = nearly(fc.tuple(fc.constantFrom(...SCHEMES), words(PARTS, 6)).map((parts) => parts.join("")));

export const csiAddresses = createTarget({
  name: "csi-addresses",
  against: "grpc-go's resolver of unix sockets, as csi-lib-utils uses it",
  weight: 1,
  inputs: socketInputs,
  batchSize: 2_000,
  open: async () => compare(await startGoOracle<string, string | null>("socket"), verdictOnSocket),
});

function verdictOnSocket(text: string, go: string | null): Verdict {
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
