import { isIPv6 } from "node:net";

export const MAX_PORT = 65_535;

export interface Address {
  /** Undefined is every address of the host, IPv4 and IPv6; IPv4 alone if the kernel has no IPv6. */
  readonly hostname: string | undefined;
  /** 0 lets the kernel choose. */
  readonly port: number;
}

export type ListenAddress =
  | (Address & { readonly kind: "address" })
  /** `rule` is worded to follow "must"; `instead` is what was probably meant. */
  | { readonly kind: "invalid"; readonly rule: string; readonly instead?: string };

/**
 * Reads an address in the forms of Go's `net.Listen`: `:9808`, `localhost:9808`, `10.0.0.1:9808`, `[::1]:9808`, each
 * also with a named port. `:p`, `0.0.0.0:p`, `[::]:p` and `[::ffff:0.0.0.0]:p` are one: Go listens on both families for
 * each of them, and where IPv6 is off on IPv4.
 *
 * @param usualPort that of an address which has none, in `instead`
 */
export function parseListenAddress(text: string, usualPort = 9_808): ListenAddress {
  const address = readListenAddress(text);
  if (address.kind === "address") return address;
  const likely = [
    `:${text}`,
    /\D/.test(text) ? `${text}:${usualPort}` : "",
    text.replace(/^[a-z]+:\/\/([^/]*).*$/i, "$1"),
    text.replace(/^(.+):(\d+)$/, "[$1]:$2"),
  ];
  const instead = likely.find((each) => readListenAddress(each).kind === "address");
  return instead === undefined ? address : { ...address, instead };
}

function readListenAddress(text: string): ListenAddress {
  if (text === "") return invalid("not be empty");
  if (/\p{Cc}/u.test(text)) return invalid("not contain control characters");
  if (text.includes("://")) return invalid("be host:port without a scheme");
  const parts = /^(?:\[(?<ipv6>[^[\]]*)\]|(?<host>[^:[\]]*)):(?<port>[^:[\]]*)$/.exec(text)?.groups;
  if (parts === undefined) return invalid(hasBareIPv6(text) ? BRACKETS_RULE : "be host:port or :port");

  const { ipv6, host = "", port: portText = "" } = parts;
  if (ipv6 === undefined ? !/^[a-z0-9._-]*$/i.test(host) : !isIPv6(ipv6))
    return invalid("name a host or an IP address");
  const port = parsePort(portText);
  if (port === undefined) return invalid(`end in ${PORT_RULE}`);
  return { kind: "address", hostname: nameUnlessEvery(ipv6 ?? host), port };
}

/**
 * Reads a port's number or name. The Go sidecar puts it behind `0.0.0.0:`, and so listens on every address of both
 * families.
 */
export function parseHealthPort(text: string): ListenAddress {
  if (text === "") return invalid("not be empty");
  const port = parsePort(text);
  if (port !== undefined) return { kind: "address", hostname: undefined, port };
  const instead = text.replace(/^.*:/, "");
  return { ...invalid(`be ${PORT_RULE}`), ...(parsePort(instead) === undefined ? {} : { instead }) };
}

// The names an HTTP port goes by. Go reads the others from /etc/services, which a minimal image does not have.
const NAMED_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["https", 443],
  ["http-alt", 8080],
]);

const PORT_RULE = `a port from 0 to ${MAX_PORT} or one of ${[...NAMED_PORTS.keys()].join(", ")}`;

const BRACKETS_RULE = "have its IPv6 address in brackets, as in [::1]:9808";

function parsePort(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return NAMED_PORTS.get(text.toLowerCase());
  const port = Number(text);
  return port <= MAX_PORT ? port : undefined;
}

function nameUnlessEvery(host: string): string | undefined {
  const every = host === "" || host === "0.0.0.0" || (isIPv6(host) && isWildcard(host));
  return every ? undefined : host;
}

/** Of an IPv6 address, IPv4's wildcard in IPv6's form included. A URL has it in one form. */
function isWildcard(ipv6: string): boolean {
  return /^[0f:.]+$/i.test(ipv6) && ["[::]", "[::ffff:0:0]"].includes(URL.parse(`http://[${ipv6}]`)?.hostname ?? "");
}

function hasBareIPv6(text: string): boolean {
  return isIPv6(text.replace(/:\d+$/, ""));
}

function invalid(rule: string) {
  return { kind: "invalid", rule } as const;
}
