import * as fc from "fast-check";
import type { Rpc } from "../../src/driver/client";
import { GET_PLUGIN_INFO, PROBE } from "../../src/driver/messages";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  GET_REGISTRATION_INFO,
  NODE_GET_CAPABILITIES,
  NODE_GET_INFO,
} from "../../src/driver/node-messages";
import { WireError } from "../../src/grpc/wire";
import { BY_PROTO_LOADER } from "../../test/support/proto-loader";
import { createMessageMaker } from "../../test/support/random-messages";
import { startGoOracle } from "../go-oracle";
import { compare, createTarget, same, wantedBecause, type Verdict } from "../target";

const RPCS = {
  probe: PROBE,
  pluginInfo: GET_PLUGIN_INFO,
  pluginCapabilities: GET_PLUGIN_CAPABILITIES,
  nodeCapabilities: NODE_GET_CAPABILITIES,
  controllerCapabilities: CONTROLLER_GET_CAPABILITIES,
  nodeInfo: NODE_GET_INFO,
  registrationInfo: GET_REGISTRATION_INFO,
} as const satisfies Readonly<Record<string, Rpc<unknown>>>;

type MessageName = keyof typeof RPCS;

interface Encoded {
  readonly name: MessageName;
  readonly bytes: Buffer;
}

// A varint as it is written: with surplus bytes, too many of them, or cut off.
const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.constantFrom(2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const surplus = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(10) });
const varint = fc.tuple(number, surplus).map(([value, extra]) => encodeVarint(value, extra));

const fieldNumber = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 5, 15, 16, 19_000, 2 ** 29 - 1, 2 ** 29, 2 ** 32) },
);
const text = fc.oneof(
  fc.constantFrom("", "a", "zone", "\ufeffx", "é🚗", "\u0000").map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
);

const { message } = fc.letrec<{ message: Buffer; field: Buffer }>((tie) => ({
  message: fc.array(tie("field"), { maxLength: 5, depthIdentifier: "message" }).map((fields) => Buffer.concat(fields)),
  field: fc.oneof(
    { maxDepth: 3, depthIdentifier: "message" },
    { weight: 3, arbitrary: fc.tuple(tag(0), varint).map((parts) => Buffer.concat(parts)) },
    { weight: 4, arbitrary: fc.tuple(tag(2), tie("message")).map(([head, body]) => delimited(head, body)) },
    { weight: 3, arbitrary: fc.tuple(tag(2), text).map(([head, body]) => delimited(head, body)) },
    {
      weight: 1,
      arbitrary: fc.tuple(tag(1), fc.uint8Array({ minLength: 8, maxLength: 8 })).map((parts) => Buffer.concat(parts)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tag(5), fc.uint8Array({ minLength: 4, maxLength: 4 })).map((parts) => Buffer.concat(parts)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fieldNumber, tie("message"), fc.boolean()).map(([at, body, ends]) => group(at, body, ends)),
    },
    { weight: 1, arbitrary: fc.tuple(tag(7), fc.uint8Array({ maxLength: 2 })).map((parts) => Buffer.concat(parts)) },
  ),
}));

// Their tags have one byte.
const deepGroups = fc
  .tuple(fc.constantFrom(1, 9_999, 10_000, 10_001, 10_002), fc.constantFrom(1, 9))
  .map(([depth, at]) => Buffer.concat([Buffer.alloc(depth, header(at, 3)), Buffer.alloc(depth, header(at, 4))]));

function broken(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(whole, fc.nat(200), fc.nat(3), fc.uint8Array({ maxLength: 2 })).map(([bytes, at, length, piece]) => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(start + length)]);
  });
}

const anyMessage: fc.Arbitrary<Encoded> = fc.record({
  name: fc.constantFrom<MessageName>("probe", ...(Object.keys(RPCS) as MessageName[])),
  bytes: fc.oneof(
    { weight: 600, arbitrary: message },
    { weight: 300, arbitrary: broken(message) },
    { weight: 200, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: deepGroups },
  ),
});

/** A valid message with the fields of its type. */
const valid: fc.Arbitrary<Encoded> = fc
  .tuple(fc.constantFrom(...(Object.keys(RPCS) as MessageName[])), fc.integer())
  .map(([name, seed]) => ({ name, bytes: makeMessage(name, seed) }));

function makeMessage(name: MessageName, seed: number): Buffer {
  const maker = createMessageMaker(seed);
  switch (name) {
    case "probe":
      return maker.probeResponse();
    case "nodeCapabilities":
    case "controllerCapabilities":
      return maker.rpcCapabilities();
    case "pluginInfo":
    case "pluginCapabilities":
    case "nodeInfo":
    case "registrationInfo":
      return maker[name]();
  }
  return name satisfies never;
}

/** What Go reads, false where it is no message, true where only its text is not UTF-8. */
type GoMessage = object | boolean;

export const messages = createTarget({
  name: "messages",
  against: "Go's protobuf with the CSI specification's own package",
  weight: 4,
  inputs: fc.oneof(
    { weight: 3, arbitrary: anyMessage },
    { weight: 1, arbitrary: valid },
    {
      weight: 1,
      arbitrary: valid.chain(({ name, bytes }) =>
        fc.record({ name: fc.constant(name), bytes: broken(fc.constant(bytes)) }),
      ),
    },
  ),
  batchSize: 1_000,
  open: async () => {
    const oracle = await startGoOracle<object, GoMessage>("message");
    const ask = (encoded: readonly Encoded[]) =>
      oracle.ask(encoded.map(({ name, bytes }) => ({ Name: name, Bytes: bytes.toString("base64") })));
    return compare({ ask, [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose]() }, verdictOn);
  },
});

export const messagesOfProtoLoader = createTarget({
  name: "messages-of-proto-loader",
  against: "proto-loader, on valid messages: it reads some others contrary to the specification",
  weight: 2,
  inputs: valid,
  batchSize: 1_000,
  open: async () => ({
    judge: async (inputs) =>
      inputs.map(({ name, bytes }) => same(RPCS[name].decode(bytes), BY_PROTO_LOADER[name](bytes))),
    [Symbol.asyncDispose]: async () => {},
  }),
});

function verdictOn({ name, bytes }: Encoded, go: GoMessage): Verdict {
  const ours = decode(name, bytes);
  if (go !== false && ours instanceof WireError && ours.message.startsWith("invalid field number")) {
    return wantedBecause("in a group that it skips, Go takes a field number of over 29 bits");
  }
  if (go === true) return wantedBecause("text that is not UTF-8 is read with U+FFFD: it is for people");
  if (Array.isArray(ours) && ours.includes("VOLUME_CONDITION")) {
    const reserved = name === "nodeCapabilities" ? 4 : 11;
    const unnamed = ours.map((each) => (each === "VOLUME_CONDITION" ? `UNKNOWN(${reserved})` : each));
    if (Bun.deepEquals(unnamed, go)) return wantedBecause("VOLUME_CONDITION keeps its name of CSI 1.12");
  }
  return same(ours instanceof WireError ? false : ours, go);
}

/** As the oracle prints it; the error where it is no message. */
function decode(name: MessageName, bytes: Buffer): unknown {
  try {
    if (name !== "nodeInfo") return RPCS[name].decode(bytes);
    const { nodeId, maxVolumesPerNode, topologySegments } = NODE_GET_INFO.decode(bytes);
    // An int64 in words; ours is exact up to 2^53.
    return { nodeId, maxVolumesPerNode, topologySegments: Object.fromEntries(topologySegments) };
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

function tag(wireType: number): fc.Arbitrary<Buffer> {
  return fieldNumber.map((at) => header(at, wireType));
}

function header(at: number, wireType: number): Buffer {
  return encodeVarint((BigInt(at) << 3n) | BigInt(wireType));
}

function delimited(head: Buffer, body: Buffer): Buffer {
  return Buffer.concat([head, encodeVarint(BigInt(body.length)), body]);
}

function group(at: number, body: Buffer, ends: boolean): Buffer {
  return Buffer.concat([header(at, 3), body, header(ends ? at : at + 1, 4)]);
}

function encodeVarint(value: bigint, extra = 0): Buffer {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0n; rest >>= 7n) bytes.push(Number(rest & 0x7fn));
  for (let added = 0; added < extra; added += 1) bytes.push(0);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}
