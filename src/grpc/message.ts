import type { FieldSchema, Schema } from "./schema";
import { readFields } from "./wire";

/** A message by the names of its fields. One that is not on the wire is absent. */
export interface Message {
  readonly [field: string]: Value | undefined;
}

/** An enum is the name of its value, `UNKNOWN(42)` where the schema has none. A repeated field is a list. */
export type Value = boolean | bigint | string | Message | readonly Value[];

/**
 * Reads a message by its schema, as the protobuf encoding specification says: the last value of a field holds, a
 * message that comes twice is merged, a field that is not known or has another wire type is skipped. Text that is not
 * UTF-8 is read with U+FFFD: it is for people.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function readMessage(schema: Schema, name: string, bytes: Uint8Array): Message {
  const message: Fields = {};
  merge(message, bytes, name, schema);
  return message;
}

export function textOf(message: Message, field: string): string {
  const value = message[field];
  return typeof value === "string" ? value : "";
}

/** A message that is absent is an empty one. */
export function messageOf(message: Message, field: string): Message {
  const value = message[field];
  return isMessage(value) ? value : {};
}

/** The messages of a repeated field. */
export function messagesOf(message: Message, field: string): readonly Message[] {
  const value = message[field];
  return isList(value) ? value.filter(isMessage) : [];
}

type Fields = Record<string, Value>;

function merge(into: Fields, bytes: Uint8Array, name: string, schema: Schema): void {
  const declared = schema[name];
  // An empty message would say of a driver that it is ready.
  if (declared === undefined) throw new Error(`no schema of ${name}`);
  const { isOneof, fields } = declared;
  readFields(bytes, (number, wire) => {
    const field = fields[number];
    if (field === undefined) return;
    const before = into[field.name];
    const value = valueOf(wire, field, before, schema);
    if (value === undefined) return;
    if (isOneof && before === undefined) for (const other of Object.keys(into)) delete into[other];
    if (!field.repeated) into[field.name] = value;
    else if (isList(before)) before.push(value);
    else into[field.name] = [value];
  });
}

/** Undefined where the wire type is not the field's. */
function valueOf(
  wire: bigint | Uint8Array,
  { kind, repeated }: FieldSchema,
  before: Value | undefined,
  schema: Schema,
): Value | undefined {
  const isVarint = typeof wire === "bigint";
  switch (kind.type) {
    case "bool":
      return isVarint ? wire !== 0n : undefined;
    case "int64":
      return isVarint ? BigInt.asIntN(64, wire) : undefined;
    case "enum":
      return isVarint ? nameOf(kind.names, wire) : undefined;
    case "string":
      return isVarint ? undefined : utf8.decode(wire);
    case "message": {
      if (isVarint) return undefined;
      const message: Fields = !repeated && isMessage(before) ? before : {};
      merge(message, wire, kind.message, schema);
      return message;
    }
  }
  return kind satisfies never;
}

// An enum is an int32: what a varint has above that is cut off.
function nameOf(names: Readonly<Record<number, string>>, value: bigint): string {
  const number = Number(BigInt.asIntN(32, value));
  return names[number] ?? `UNKNOWN(${number})`;
}

// Without this option a byte order mark at the start would be dropped, and it is part of the text.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function isMessage(value: Value | undefined): value is Fields {
  return typeof value === "object" && !Array.isArray(value);
}

function isList(value: Value | undefined): value is Value[] {
  return Array.isArray(value);
}
