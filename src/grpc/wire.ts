/** One field of a protobuf message as it stands on the wire. Fixed-width values and groups are skipped: no message we read has one. */
export type WireField =
  | { readonly number: number; readonly type: "varint"; readonly value: bigint }
  | { readonly number: number; readonly type: "bytes"; readonly value: Uint8Array };

/** The bytes are not a protobuf message. The message says where. */
export class WireError extends Error {}

/**
 * The varint and length-delimited fields of a protobuf message, in order.
 *
 * By the protobuf encoding specification: an unknown field of any type is skipped, groups with their content too.
 *
 * @throws WireError on a truncated field, an overlong varint, field number 0, a wire type that does not exist or a
 *   group that does not end: where Go's protobuf refuses a message, so do we
 */
export function* readFields(bytes: Uint8Array): Generator<WireField, void, undefined> {
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const { number, wireType } = readTag(cursor);
    if (wireType === VARINT) yield { number, type: "varint", value: readVarint(cursor) };
    else if (wireType === LENGTH_DELIMITED) yield { number, type: "bytes", value: readBytes(cursor) };
    else skip(cursor, number, wireType, 0);
  }
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
const MAX_FIELD_NUMBER = 0x1fffffffn;
// As deep as Go's protobuf follows groups before it gives up on a message.
const MAX_GROUP_DEPTH = 10_000;

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readTag(cursor: Cursor): { readonly number: number; readonly wireType: number } {
  const tag = readVarint(cursor);
  const number = tag >> 3n;
  if (number === 0n || number > MAX_FIELD_NUMBER) throw new WireError(`invalid field number at byte ${cursor.at}`);
  return { number: Number(number), wireType: Number(tag & 7n) };
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw new WireError(`truncated varint at byte ${cursor.at}`);
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) {
      if (value >= 1n << 64n) break;
      return value;
    }
  }
  throw new WireError(`varint of over 64 bits at byte ${cursor.at}`);
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = readVarint(cursor);
  const start = cursor.at;
  advance(cursor, length);
  return cursor.bytes.subarray(start, cursor.at);
}

function advance(cursor: Cursor, length: bigint): void {
  if (length > BigInt(cursor.bytes.length - cursor.at)) throw new WireError(`truncated field at byte ${cursor.at}`);
  cursor.at += Number(length);
}

function skip(cursor: Cursor, number: number, wireType: number, depth: number): void {
  switch (wireType) {
    case VARINT:
      readVarint(cursor);
      return;
    case FIXED64:
      advance(cursor, 8n);
      return;
    case LENGTH_DELIMITED:
      readBytes(cursor);
      return;
    case START_GROUP:
      skipGroup(cursor, number, depth);
      return;
    case FIXED32:
      advance(cursor, 4n);
      return;
    default:
      throw new WireError(`invalid wire type ${wireType} at byte ${cursor.at}`);
  }
}

function skipGroup(cursor: Cursor, number: number, depth: number): void {
  if (depth >= MAX_GROUP_DEPTH) throw new WireError(`groups nested too deep at byte ${cursor.at}`);
  for (;;) {
    const inner = readTag(cursor);
    if (inner.wireType === END_GROUP) {
      if (inner.number !== number) throw new WireError(`mismatched end of group at byte ${cursor.at}`);
      return;
    }
    skip(cursor, inner.number, inner.wireType, depth + 1);
  }
}
