import { describe, expect, test } from "bun:test";
import { readFields, WireError } from "../../src/grpc/wire";

const MAX_UINT64 = 2n ** 64n - 1n;

test.each([
  ["no bytes: no field", "", []],
  ["a varint of one byte", "08 01", [field(1, 1n)]],
  ["a varint of two bytes", "08 96 01", [field(1, 150n)]],
  ["a varint written longer than it needs", "08 81 80 00", [field(1, 1n)]],
  ["the largest varint, of ten bytes", "08 ff ff ff ff ff ff ff ff ff 01", [field(1, MAX_UINT64)]],
  ["a varint of 53 bits", "08 ff ff ff ff ff ff ff 0f", [field(1, 2n ** 53n - 1n)]],
  ["a varint of 54 bits, all of them set", "08 ff ff ff ff ff ff ff 1f", [field(1, 2n ** 54n - 1n)]],
  [
    "a varint of 64 bits, the lowest and the highest set",
    "08 81 80 80 80 80 80 80 80 80 01",
    [field(1, 2n ** 63n + 1n)],
  ],
  ["a tag written longer than it needs", "88 80 00 01", [field(1, 1n)]],
  ["the largest field number", "f8 ff ff ff 0f 01", [field(0x1f_ff_ff_ff, 1n)]],
  ["bytes", "0a 03 61 62 63", [field(1, "61 62 63")]],
  ["bytes of no length", "0a 00", [field(1, "")]],
  ["fields in the order in which they stand", "10 02 0a 01 61 10 03", [field(2, 2n), field(1, "61"), field(2, 3n)]],
  ["a 64-bit value, which is skipped", "09 01 02 03 04 05 06 07 08 10 02", [field(2, 2n)]],
  ["a 32-bit value, which is skipped", "0d 01 02 03 04 10 02", [field(2, 2n)]],
  ["an empty group, which is skipped", "0b 0c 10 02", [field(2, 2n)]],
  ["a group with every wire type in it, which is skipped", groupOfAll(), [field(2, 2n)]],
])("%s", (_, hex, fields) => {
  expect(fieldsOf(hex)).toEqual(fields);
});

describe("refused, as the encoding's specification has it:", () => {
  test.each([
    ["a tag that is cut off", "80", /truncated varint at byte 1/],
    ["a tag without a value", "08", /truncated varint at byte 1/],
    ["a varint that is cut off", "08 96", /truncated varint at byte 2/],
    ["a varint of eleven bytes", "08 80 80 80 80 80 80 80 80 80 80 01", /varint of over 64 bits/],
    ["a varint of ten bytes and 65 bits", "08 ff ff ff ff ff ff ff ff ff 02", /varint of over 64 bits/],
    ["field number 0", "00 01", /invalid field number/],
    ["field number 0 in bytes", "02 01 61", /invalid field number/],
    ["a field number of over 29 bits", "80 80 80 80 10 01", /invalid field number/],
    ["wire type 6", "0e 01", /invalid wire type 6/],
    ["wire type 7", "0f 01", /invalid wire type 7/],
    ["a length beyond the end", "0a 02 61", /truncated field at byte 2/],
    ["a length beyond any memory", "0a ff ff ff ff ff ff ff ff ff 01", /truncated field/],
    ["bytes without a length", "0a", /truncated varint/],
    ["a 64-bit value that is cut off", "09 01 02 03 04 05 06 07", /truncated field/],
    ["a 32-bit value that is cut off", "0d 01 02 03", /truncated field/],
    ["a group that does not end", "0b 08 01", /truncated varint/],
    ["a group that ends under another number", "0b 14", /mismatched end of group/],
    ["groups that end crosswise", "0b 13 0c 14", /mismatched end of group/],
    ["the end of a group that did not begin", "0c", /invalid wire type 4/],
    ["a fault within a group", "0b 0f 0c", /invalid wire type 7/],
    ["groups nested deeper than any message's", "0b".repeat(10_002) + "0c".repeat(10_002), /nested too deep/],
    ["as many groups as fit into the largest answer", "0b".repeat(65_536), /nested too deep/],
  ])("%s", (_, hex, complaint) => {
    const read = () => fieldsOf(hex);
    expect(read).toThrow(WireError);
    expect(read).toThrow(complaint);
  });
});

test("groups may be nested 10,001 deep, as in Go, and take no stack", () => {
  const read = (callers: number): readonly unknown[] =>
    callers === 0 ? fieldsOf("0b".repeat(10_001) + "0c".repeat(10_001)) : [...read(callers - 1)];
  expect(read(5_000)).toEqual([]);
});

function groupOfAll(): string {
  return "0b 08 01 11 01 02 03 04 05 06 07 08 1a 01 0c 23 08 01 24 2d 01 02 03 04 0c 10 02";
}

function fieldsOf(hex: string): readonly Field[] {
  const fields: Field[] = [];
  readFields(fromHex(hex), (number, value) => fields.push({ number, value }));
  return fields;
}

interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** @param value bytes in hexadecimal */
function field(number: number, value: bigint | string): Field {
  return { number, value: typeof value === "string" ? fromHex(value) : value };
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}
