import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { parseStatusCode, statusLabel, statusName, StatusCode, statusOfHttp } from "../../src/grpc/status";

const GRPC_CODES = Object.entries(status).filter(
  (entry): entry is [string, number] => typeof entry[1] === "number" && Number.isNaN(Number(entry[0])),
);

test.each(GRPC_CODES)("gRPC's %s has its name in Go's spelling", (name, code) => {
  const inGo = name === "OK" ? "OK" : name === "CANCELLED" ? "Canceled" : camelCase(name);
  expect({ name: statusName(code), label: statusLabel(code) }).toEqual({ name: inGo, label: inGo });
});

test("gRPC has defined no more codes than we know by name", () => {
  expect(GRPC_CODES).toHaveLength(17);
  expect(statusName(GRPC_CODES.length)).toBe("Code(17)");
});

test.each(Object.entries(StatusCode))("the code that we call %s is gRPC's", (name, code) => {
  expect(camelCase(statusName(code)).toLowerCase()).toBe(name.toLowerCase());
});

test.each([
  [17, "Code(17)"],
  [99, "Code(99)"],
  [999_999_999, "Code(999999999)"],
])("code %d, which gRPC does not define, reads as %s and counts as Unknown", (code, name) => {
  expect({ name: statusName(code), label: statusLabel(code) }).toEqual({ name, label: "Unknown" });
});

// strconv.ParseInt(header, 10, 32), made unsigned.
test.each([
  ["0", 0],
  ["+0", 0],
  ["-0", 0],
  ["000", 0],
  ["13", 13],
  ["013", 13],
  ["+13", 13],
  ["99", 99],
  ["2147483647", 2_147_483_647],
  ["-1", 4_294_967_295],
  ["-2147483648", 2_147_483_648],
])("grpc-status %p is code %d", (header, code) => {
  expect(parseStatusCode(header)).toBe(code);
});

test.each([
  "",
  "abc",
  "+",
  "--1",
  "1.5",
  "1e2",
  "1_3",
  " 1",
  "0, 0",
  "0x1",
  "NaN",
  "2147483648",
  "-2147483649",
  "99999999999999999999",
  "٣",
])("grpc-status %p is malformed", (header) => {
  expect(parseStatusCode(header)).toBeUndefined();
});

// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
test.each([
  [400, "Internal"],
  [401, "Unauthenticated"],
  [403, "PermissionDenied"],
  [404, "Unimplemented"],
  [429, "Unavailable"],
  [502, "Unavailable"],
  [503, "Unavailable"],
  [504, "Unavailable"],
  [200, "Unknown"],
  [500, "Unknown"],
  [undefined, "Internal"],
])("HTTP status %p without grpc-status is %s", (httpStatus, name) => {
  expect(statusName(statusOfHttp(httpStatus))).toBe(name);
});

/** `INVALID_ARGUMENT` as `InvalidArgument`. */
function camelCase(name: string): string {
  return name
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("");
}
