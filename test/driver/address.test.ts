import { describe, expect, test } from "bun:test";
import { MAX_SOCKET_PATH_BYTES, parseCsiAddress } from "../../src/driver/address";

describe("a CSI address that works", () => {
  test.each([
    ["a bare path", "/csi/csi.sock", "/csi/csi.sock"],
    ["unix: and one slash", "unix:/csi/csi.sock", "/csi/csi.sock"],
    ["unix: and three slashes", "unix:///csi/csi.sock", "/csi/csi.sock"],
    ["a scheme in capitals", "UNIX:///csi/csi.sock", "/csi/csi.sock"],
    ["a path with a colon in it", "/csi/driver:v1.sock", "/csi/driver:v1.sock"],
    ["a path that ends as a port does", "unix:/csi/driver:50051", "/csi/driver:50051"],
    ["a path with a space in it", "/csi/my driver.sock", "/csi/my driver.sock"],
    ["a path of exactly 107 bytes", "/".padEnd(107, "x"), "/".padEnd(107, "x")],
    ["107 bytes after a scheme", `unix://${"/".padEnd(107, "x")}`, "/".padEnd(107, "x")],
  ])("%s", (_, text, path) => {
    expect(parseCsiAddress(text)).toEqual({ kind: "socket", path });
  });
});

describe("a CSI address that never will", () => {
  test.each([
    ["nothing", "", "not be empty"],
    ["a scheme without a path", "unix:", "not be empty"],
    ["a scheme, two slashes and no path", "unix://", "not be empty"],
    ["a relative path", "csi/csi.sock", "be an absolute path"],
    ["a relative path after a scheme", "unix:csi.sock", "be an absolute path"],
    ["an authority before the path", "unix://csi/csi.sock", "be an absolute path"],
    ["a space before the path", " /csi/csi.sock", "be an absolute path"],
    ["TCP", "tcp://127.0.0.1:50051", "be a unix socket"],
    ["DNS", "dns:///driver:50051", "be a unix socket"],
    ["a host and port", "127.0.0.1:50051", "be a unix socket"],
    ["a name and port", "localhost:50051", "be a unix socket"],
    ["an abstract socket", "unix-abstract:csi", "be a unix socket"],
    ["a newline at its end", "/csi/csi.sock\n", "not contain control characters"],
    ["a NUL", "/csi/csi.sock\0", "not contain control characters"],
    ["108 bytes", "/".padEnd(108, "x"), "be at most 107 bytes long"],
    ["108 bytes, though fewer characters", `/${"é".repeat(53)}a`, "be at most 107 bytes long"],
  ])("%s", (_, text, rule) => {
    expect(parseCsiAddress(text)).toEqual({ kind: "invalid", rule });
  });
});

test("the longest path is the kernel's sun_path without its NUL", () => {
  expect(MAX_SOCKET_PATH_BYTES).toBe(107);
});
