import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { parseStatusCode, statusLabel, statusName, StatusCode } from "../../src/csi/status";

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

test.each([
  ["0", 0],
  ["13", 13],
  ["013", 13],
  ["99", 99],
  ["999999999", 999_999_999],
])("grpc-status %p is code %d", (header, code) => {
  expect(parseStatusCode(header)).toBe(code);
});

test.each(["", "abc", "-1", "+1", "1.5", "1e2", " 1", "0x1", "NaN", "9999999999", "٣"])(
  "grpc-status %p is no code, and so Unknown",
  (header) => {
    expect(parseStatusCode(header)).toBe(StatusCode.unknown);
  },
);

/** `INVALID_ARGUMENT` as `InvalidArgument`. */
function camelCase(name: string): string {
  return name
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("");
}
