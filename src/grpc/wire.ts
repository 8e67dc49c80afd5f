/** The bytes are not a protobuf message. The message says where. */
export class WireError extends Error {}

/**
 * Calls `take` with the number and the value of each field of a protobuf message, in order: a bigint of 64 bits without
 * sign for a varint, the bytes of a length-delimited field. Fixed-width values and groups are skipped: no message that
 * we read has one.
 *
 * By the protobuf encoding specification: an unknown field of any type is skipped, groups with their content too.
 *
 * @throws WireError on a truncated field, an overlong varint, field number 0, a wire type that does not exist or a
 *   group that does not end: where Go's protobuf refuses a message, so do we
 */
export function readFields(bytes: Uint8Array, take: (number: number, value: bigint | Uint8Array) => void): void {
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readTag(cursor);
    const number = fieldNumberOf(tag);
    const wireType = wireTypeOf(tag);
    if (wireType === VARINT) take(number, readValue(cursor));
    else if (wireType === LENGTH_DELIMITED) take(number, readBytes(cursor));
    else skip(cursor, number, wireType);
  }
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
// 29 bits of field number and 3 of wire type.
const MAX_TAG = 0xffff_ffff;
// As deep as Go's protobuf follows groups before it gives up on a message.
const MAX_GROUP_DEPTH = 10_001;

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readTag(cursor: Cursor): number {
  const tag = readVarint(cursor);
  if (tag < 8 || tag > MAX_TAG) throw new WireError(`invalid field number at byte ${cursor.at}`);
  return tag;
}

const fieldNumberOf = (tag: number) => tag >>> 3;
const wireTypeOf = (tag: number) => tag & 7;

/** A tag or a length: exact up to 2^53, and what is larger is invalid as either. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw new WireError(`truncated varint at byte ${cursor.at}`);
    cursor.at += 1;
    value += (byte & 0x7f) * 2 ** (7 * index);
    // One bit is left for the tenth byte.
    if (byte < 0x80 && (index < 9 || byte <= 1)) return value;
  }
  throw new WireError(`varint of over 64 bits at byte ${cursor.at}`);
}

function readValue(cursor: Cursor): bigint {
  const start = cursor.at;
  const value = readVarint(cursor);
  if (Number.isSafeInteger(value)) return BigInt(value);
  return cursor.bytes.subarray(start, cursor.at).reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = readVarint(cursor);
  const start = cursor.at;
  advance(cursor, length);
  return cursor.bytes.subarray(start, cursor.at);
}

function advance(cursor: Cursor, length: number): void {
  if (length > cursor.bytes.length - cursor.at) throw new WireError(`truncated field at byte ${cursor.at}`);
  cursor.at += length;
}

function skip(cursor: Cursor, number: number, wireType: number): void {
  switch (wireType) {
    case VARINT:
      readVarint(cursor);
      return;
    case FIXED64:
      advance(cursor, 8);
      return;
    case LENGTH_DELIMITED:
      readBytes(cursor);
      return;
    case START_GROUP:
      skipGroup(cursor, number);
      return;
    case FIXED32:
      advance(cursor, 4);
      return;
    default:
      throw new WireError(`invalid wire type ${wireType} at byte ${cursor.at}`);
  }
}

/** Without recursion: how deep the stack is must not decide whether a message is valid. */
function skipGroup(cursor: Cursor, outermost: number): void {
  const open = [outermost];
  while (open.length > 0) {
    const tag = readTag(cursor);
    const wireType = wireTypeOf(tag);
    if (wireType === END_GROUP) {
      if (fieldNumberOf(tag) !== open.pop()) throw new WireError(`mismatched end of group at byte ${cursor.at}`);
    } else if (wireType === START_GROUP) {
      if (open.length >= MAX_GROUP_DEPTH) throw new WireError(`groups nested too deep at byte ${cursor.at}`);
      open.push(fieldNumberOf(tag));
    } else {
      skip(cursor, fieldNumberOf(tag), wireType);
    }
  }
}
