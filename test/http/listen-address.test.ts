import { describe, expect, test } from "bun:test";
import { parseHealthPort, parseListenAddress } from "../../src/http/listen-address";

const PORT_RULE = "a port from 0 to 65535 or one of http, https, http-alt";

describe("an address to listen on", () => {
  test.each([
    ["a port alone is every address", ":9808", undefined, 9808],
    ["IPv4's wildcard is every address, as in Go", "0.0.0.0:9808", undefined, 9808],
    ["IPv6's wildcard is every address", "[::]:9808", undefined, 9808],
    ["IPv6's wildcard written out is every address", "[0:0:0:0:0:0:0:0]:9808", undefined, 9808],
    ["IPv4's wildcard in IPv6's form is every address, as in Go", "[::ffff:0.0.0.0]:9808", undefined, 9808],
    ["IPv4's wildcard in IPv6's form, in hexadecimal", "[0:0::FFFF:0:0]:9808", undefined, 9808],
    ["IPv4's wildcard in IPv6's form, with its zeros left out", "[0:0:0:0:0:ffff::]:9808", undefined, 9808],
    ["zeros behind ffff elsewhere", "[::ffff:0000]:9808", "::ffff:0000", 9808],
    ["an IPv4 address in IPv6's form", "[::ffff:0.0.0.1]:9808", "::ffff:0.0.0.1", 9808],
    ["a name", "localhost:9808", "localhost", 9808],
    ["a name with dots, dashes and an underscore", "node-1.my_zone.example:1", "node-1.my_zone.example", 1],
    ["an IPv4 address", "127.0.0.1:9808", "127.0.0.1", 9808],
    ["an IPv6 address", "[::1]:9808", "::1", 9808],
    ["an IPv6 address with a zone", "[fe80::1%eth0]:9808", "fe80::1%eth0", 9808],
    ["a port of the kernel's choice", ":0", undefined, 0],
    ["the last port", ":65535", undefined, 65_535],
    ["a port with a leading zero", ":09808", undefined, 9808],
    ["http by name", ":http", undefined, 80],
    ["https by name, in capitals", "localhost:HTTPS", "localhost", 443],
    ["http-alt by name", "[::1]:http-alt", "::1", 8080],
  ])("%s", (_, text, hostname, port) => {
    expect(parseListenAddress(text)).toEqual({ kind: "address", hostname, port });
  });

  test.each([
    ["nothing", "", "not be empty"],
    ["a name without a port", "localhost", "be host:port or :port"],
    ["a port without its colon", "9808", "be host:port or :port"],
    ["an IPv6 address in brackets without a port", "[::1]", "be host:port or :port"],
    ["two ports", "localhost:80:81", "be host:port or :port"],
    ["a colon too many", "::9808", "be host:port or :port"],
    ["a bracket that is left open", "[::1:9808", "be host:port or :port"],
    ["an IPv6 address without brackets", "::1:9808", "have its IPv6 address in brackets, as in [::1]:9808"],
    ["a full one without brackets", "1:2:3:4:5:6:7:8:9808", "have its IPv6 address in brackets, as in [::1]:9808"],
    ["IPv6's wildcard alone", "::", "have its IPv6 address in brackets, as in [::1]:9808"],
    ["a URL", "http://localhost:9808", "be host:port without a scheme"],
    ["a name in brackets", "[localhost]:9808", "name a host or an IP address"],
    ["nothing in brackets", "[]:9808", "name a host or an IP address"],
    ["a space before the port", "localhost :9808", "name a host or an IP address"],
    ["a path", "/run/http.sock:1", "name a host or an IP address"],
    ["no port behind the colon", "localhost:", `end in ${PORT_RULE}`],
    ["a port out of range", ":65536", `end in ${PORT_RULE}`],
    ["a negative port", ":-1", `end in ${PORT_RULE}`],
    ["a port that is no whole number", ":1e3", `end in ${PORT_RULE}`],
    ["a service nobody knows", ":bogus", `end in ${PORT_RULE}`],
    ["a property that every object has", ":constructor", `end in ${PORT_RULE}`],
    ["a newline at the end", ":9808\n", "not contain control characters"],
    ["a NUL in the host", "local\0host:9808", "not contain control characters"],
  ])("is not: %s", (_, text, rule) => {
    expect(parseListenAddress(text)).toMatchObject({ kind: "invalid", rule });
  });

  test.each([
    ["a port without its colon", "9808", ":9808"],
    ["a name without a port", "localhost", "localhost:9808"],
    ["a URL", "http://localhost:9808/healthz", "localhost:9808"],
    ["an IPv6 address without brackets", "::1:9808", "[::1]:9808"],
    ["a port out of range", ":65536", undefined],
  ])("what was probably meant: %s", (_, text, instead) => {
    const { instead: meant } = { instead: undefined, ...parseListenAddress(text) };
    expect(meant).toBe(instead);
  });
});

test("the port that is meant where none is given is that of the command", () => {
  expect(parseListenAddress("localhost", 9_809)).toMatchObject({ instead: "localhost:9809" });
});

describe("a health port", () => {
  test.each([
    ["a number", "9808", 9808],
    ["zero", "0", 0],
    ["a name", "http", 80],
  ])("%s, on every address", (_, text, port) => {
    expect(parseHealthPort(text)).toEqual({ kind: "address", hostname: undefined, port });
  });

  test.each([
    ["nothing", "", "not be empty"],
    ["an address", ":9808", `be ${PORT_RULE}`],
    ["a port out of range", "65536", `be ${PORT_RULE}`],
    ["a newline at the end", "9808\n", `be ${PORT_RULE}`],
    ["a sign", "+9808", `be ${PORT_RULE}`],
  ])("is not: %s", (_, text, rule) => {
    expect(parseHealthPort(text)).toMatchObject({ kind: "invalid", rule });
  });

  test("of an address, its port was probably meant", () => {
    expect(parseHealthPort("localhost:9808")).toMatchObject({ kind: "invalid", instead: "9808" });
  });
});

test.each([
  ["a wildcard is reached over both families", ":0", ["127.0.0.1", "[::1]"]],
  ["an IPv4 address is that one", "127.0.0.1:0", ["127.0.0.1"]],
  ["an IPv6 address is that one", "[::1]:0", ["[::1]"]],
])("Bun listens where it is told: %s", async (_, text, reached) => {
  const address = parseListenAddress(text);
  if (address.kind === "invalid") throw new Error(address.rule);
  const { hostname, port } = address;
  await using server = Bun.serve({
    ...(hostname === undefined ? {} : { hostname }),
    port,
    fetch: () => new Response("ok"),
  });
  const answers = await Promise.all(["127.0.0.1", "[::1]"].map((host) => answersOn(`http://${host}:${server.port}/`)));
  expect(answers).toEqual(["127.0.0.1", "[::1]"].map((host) => reached.includes(host)));
});

async function answersOn(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
