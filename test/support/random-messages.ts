/**
 * Protobuf messages made up at random, but the same ones for the same seed. All are valid by the encoding's
 * specification.
 */
export interface MessageMaker {
  probeResponse(): Buffer;
  pluginInfo(): Buffer;
  /** `csi.v1.GetPluginCapabilitiesResponse`. */
  pluginCapabilities(): Buffer;
  /** `csi.v1.NodeGetCapabilitiesResponse` and `csi.v1.ControllerGetCapabilitiesResponse`, which are alike. */
  rpcCapabilities(): Buffer;
  nodeInfo(): Buffer;
  /** `pluginregistration.PluginInfo`. */
  registrationInfo(): Buffer;
}

/** What no driver's proto file gives a number: fields 1 to 4 are known in the messages that are made. */
const FIRST_UNKNOWN = 5;
const MAX_FIELD_NUMBER = 0x1f_ff_ff_ff;

/** Letters, an emoji, a combining mark, a byte order mark, a NUL, and quotes. */
const CHARACTERS = [..."az.-09", "é", "\u0301", "漢", "🚗", "\ufeff", "\u0000", '"', "\n"];

export function createMessageMaker(seed: number): MessageMaker {
  const random = mulberry32(seed);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(choices: readonly [T, ...T[]]): T => choices[upTo(choices.length)] ?? choices[0];
  const many = (most: number, make: () => Buffer): Buffer[] => Array.from({ length: upTo(most + 1) }, make);

  const fieldNumber = (): number =>
    pick([FIRST_UNKNOWN + upTo(30), FIRST_UNKNOWN + upTo(3_000), MAX_FIELD_NUMBER - upTo(9)]);
  const integer = (): bigint => pick([BigInt(upTo(3)), BigInt(upTo(1 << 30)), 2n ** 64n - 1n - BigInt(upTo(9))]);
  const noise = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => upTo(256)));
  const text = (): string => Array.from({ length: upTo(12) }, () => CHARACTERS[upTo(CHARACTERS.length)]).join("");
  const textField = (number: number): Buffer => bytesField(number, Buffer.from(text()));

  const unknownField = (depth = 0): Buffer => {
    const number = fieldNumber();
    const kinds: readonly [() => Buffer, ...(() => Buffer)[]] = [
      () => Buffer.concat([tag(number, 0), varint(integer(), upTo(3))]),
      () => Buffer.concat([tag(number, 1), noise(8)]),
      () => bytesField(number, noise(upTo(200))),
      () => Buffer.concat([tag(number, 5), noise(4)]),
      () =>
        Buffer.concat([tag(number, 3), ...(depth < 4 ? many(3, () => unknownField(depth + 1)) : []), tag(number, 4)]),
    ];
    return pick(kinds)();
  };
  // Below 2^32: protobufjs reads no further, see messages.test.ts.
  const boolField = (): Buffer => Buffer.concat([tag(1, 0), varint(BigInt(pick([0, 1, 1 + upTo(300)])), upTo(3))]);
  const boolValue = (): Buffer => {
    return shuffled([...many(2, boolField), ...many(2, unknownField)]);
  };
  const mapEntry = (number: number): Buffer => bytesField(number, shuffled([textField(1), textField(2)]));
  // Known types, unknown ones and negative ones, which are written as 64 bits.
  const enumValue = (): bigint => pick([BigInt(upTo(20)), BigInt(upTo(1 << 30)), 2n ** 64n - 1n - BigInt(upTo(9))]);
  const enumField = (): Buffer => Buffer.concat([tag(1, 0), varint(enumValue(), upTo(3))]);
  // Of the members of a oneof one or none: protobufjs does not merge, see capabilities.test.ts.
  const capability = (members: number): Buffer => {
    const member = (): Buffer =>
      bytesField(1 + upTo(members), shuffled([...many(2, enumField), ...many(1, unknownField)]));
    return bytesField(1, shuffled([...many(1, member), ...many(1, unknownField)]));
  };
  const capabilities = (members: number): Buffer =>
    shuffled([...many(6, () => capability(members)), ...many(2, unknownField)]);
  const int64Field = (number: number): Buffer => Buffer.concat([tag(number, 0), varint(integer(), upTo(3))]);
  const topology = (): Buffer => bytesField(3, shuffled([...many(3, () => mapEntry(1)), ...many(1, unknownField)]));

  function shuffled(fields: readonly Buffer[]): Buffer {
    const order = fields.map((field) => ({ field, key: random() })).toSorted((one, other) => one.key - other.key);
    return Buffer.concat(order.map(({ field }) => field));
  }

  return {
    probeResponse: () => shuffled([...many(1, () => bytesField(1, boolValue())), ...many(4, unknownField)]),
    pluginInfo: () =>
      shuffled([
        ...many(2, () => textField(1)),
        ...many(2, () => textField(2)),
        ...many(3, () => mapEntry(3)),
        ...many(3, unknownField),
      ]),
    pluginCapabilities: () => capabilities(2),
    rpcCapabilities: () => capabilities(1),
    nodeInfo: () =>
      shuffled([
        ...many(2, () => textField(1)),
        ...many(2, () => int64Field(2)),
        ...many(1, topology),
        ...many(3, unknownField),
      ]),
    registrationInfo: () => shuffled([...many(8, () => textField(1 + upTo(4))), ...many(3, unknownField)]),
  };
}

function bytesField(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(value.length)), value]);
}

function tag(number: number, wireType: number): Buffer {
  return varint((BigInt(number) << 3n) | BigInt(wireType));
}

/** `surplus` bytes more than it takes, as the specification allows, up to the ten that a varint may have. */
function varint(value: bigint, surplus = 0): Buffer {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0n; rest >>= 7n) bytes.push(Number(rest & 0x7fn));
  while (surplus > 0 && bytes.length < 5) {
    bytes.push(0);
    surplus -= 1;
  }
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}

/** Tommy Ettinger's generator of 32 bits, public domain: numbers from 0 to below 1. */
/** Numbers from 0 up to 1, the same ones for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
