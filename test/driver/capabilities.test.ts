import { describe, expect, test } from "bun:test";
import {
  decodeControllerCapabilities,
  decodeNodeCapabilities,
  decodePluginCapabilities,
  type PluginCapabilities,
} from "../../src/driver/node-messages";
import { WireError } from "../../src/grpc/wire";
import { loadService, readResponse } from "../support/proto-loader";
import { createMessageMaker } from "../support/random-messages";

const SEED = 20_261_122;
const ROUNDS = 5_000;
const IDENTITY = loadService("csi.proto", "csi.v1.Identity");
const NODE = loadService("csi.proto", "csi.v1.Node");
const CONTROLLER = loadService("csi.proto", "csi.v1.Controller");

const NONE: PluginCapabilities = { services: [], volumeExpansion: [] };

describe("read as proto-loader reads it by proto/csi.proto, whatever unknown fields are in it:", () => {
  const { pluginCapabilities, rpcCapabilities } = createMessageMaker(SEED);

  test.each([
    ["any valid GetPluginCapabilitiesResponse", pluginCapabilities, decodePluginCapabilities, pluginByProtoLoader],
    ["any valid NodeGetCapabilitiesResponse", rpcCapabilities, decodeNodeCapabilities, nodeByProtoLoader],
    [
      "any valid ControllerGetCapabilitiesResponse",
      rpcCapabilities,
      decodeControllerCapabilities,
      controllerByProtoLoader,
    ],
  ])("%s", (_, make, ours, theirs) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = make();
      const where = { seed: SEED, round, bytes: bytes.toString("hex") };
      expect({ ...where, read: ours(bytes) }).toEqual({ ...where, read: theirs(bytes) });
    }
  });
});

// A number that neither side names reads alike on both, so the property above alone would not miss a name.
describe("every number is named as in proto/csi.proto, and the next one is not:", () => {
  test.each([
    [
      "PluginCapability.Service",
      6,
      (type: number) => decodePluginCapabilities(pluginCapability(1, type)).services,
      (type: number) => pluginByProtoLoader(pluginCapability(1, type)).services,
    ],
    [
      "PluginCapability.VolumeExpansion",
      3,
      (type: number) => decodePluginCapabilities(pluginCapability(2, type)).volumeExpansion,
      (type: number) => pluginByProtoLoader(pluginCapability(2, type)).volumeExpansion,
    ],
    [
      "NodeServiceCapability.RPC",
      9,
      (type: number) => decodeNodeCapabilities(pluginCapability(1, type)),
      (type: number) => nodeByProtoLoader(pluginCapability(1, type)),
    ],
    [
      "ControllerServiceCapability.RPC",
      18,
      (type: number) => decodeControllerCapabilities(pluginCapability(1, type)),
      (type: number) => controllerByProtoLoader(pluginCapability(1, type)),
    ],
  ])("%s", (_, count, ours, theirs) => {
    const numbers = Array.from({ length: count + 1 }, (_none, type) => type);
    expect(numbers.flatMap(ours)).toEqual(numbers.flatMap(theirs));
    expect(numbers.flatMap(ours).filter((name) => name.startsWith("UNKNOWN("))).toEqual([`UNKNOWN(${count})`]);
  });
});

test.each<[string, string, PluginCapabilities]>([
  ["nothing", "", NONE],
  ["a service", "0a 04 0a 02 08 01", { ...NONE, services: ["CONTROLLER_SERVICE"] }],
  ["volume expansion", "0a 04 12 02 08 01", { ...NONE, volumeExpansion: ["ONLINE"] }],
  [
    "both, in two capabilities",
    "0a 04 12 02 08 02 0a 04 0a 02 08 02",
    { services: ["VOLUME_ACCESSIBILITY_CONSTRAINTS"], volumeExpansion: ["OFFLINE"] },
  ],
  ["one twice: it is told once", "0a 04 0a 02 08 01 0a 04 0a 02 08 01", { ...NONE, services: ["CONTROLLER_SERVICE"] }],
  ["a number without a name", "0a 04 0a 02 08 2a", { ...NONE, services: ["UNKNOWN(42)"] }],
  ["a type that is left out, which is 0", "0a 02 0a 00", { ...NONE, services: ["UNKNOWN"] }],
  ["a capability of a kind that nobody knows, which is left out", "0a 04 1a 02 08 01", NONE],
  ["an empty capability, which is left out", "0a 00", NONE],
  ["an unknown field alone", "12 04 0a 02 08 01", NONE],
])("a GetPluginCapabilitiesResponse with %s", (_, hex, capabilities) => {
  expect(decodePluginCapabilities(fromHex(hex))).toEqual(capabilities);
  expect(pluginByProtoLoader(fromHex(hex))).toEqual(capabilities);
});

// In each row protobufjs departs from the specification, and Go's protobuf does not.
describe("a GetPluginCapabilitiesResponse that protobufjs would misread", () => {
  test.each<[string, string, PluginCapabilities]>([
    ["has a member twice: they are merged", "0a 06 0a 02 08 01 0a 00", { ...NONE, services: ["CONTROLLER_SERVICE"] }],
    ["has both members: the last one holds", "0a 08 0a 02 08 01 12 02 08 01", { ...NONE, volumeExpansion: ["ONLINE"] }],
    [
      "has a member again after the other: nothing is left to merge",
      "0a 0a 0a 02 08 01 12 02 08 01 0a 00",
      { ...NONE, services: ["UNKNOWN"] },
    ],
    ["has a capability as a number: a wrong wire type makes it an unknown field", "08 01", NONE],
    ["has a member as a number: likewise", "0a 02 08 01", NONE],
    ["has a type in bytes: likewise", "0a 05 0a 03 0a 01 41", { ...NONE, services: ["UNKNOWN"] }],
  ])("%s", (_, hex, capabilities) => {
    expect(decodePluginCapabilities(fromHex(hex))).toEqual(capabilities);
  });
});

describe("refused, as the encoding's specification has it:", () => {
  test.each([
    ["a length beyond the end", "0a 7f 08"],
    ["a capability that is cut off", "0a 03 0a 02 08"],
    ["a type that is cut off", "0a 03 0a 01 08"],
    ["a varint of eleven bytes as the type", `0a 0e 0a 0c 08 ${"80 ".repeat(10)}01`],
    ["field number 0 in a capability", "0a 02 00 00"],
    ["wire type 7 in a capability", "0a 01 0f"],
    ["a group that does not end, after a good capability", "0a 04 0a 02 08 01 13"],
  ])("%s", (_, hex) => {
    expect(() => decodePluginCapabilities(fromHex(hex))).toThrow(WireError);
    expect(() => decodeNodeCapabilities(fromHex(hex))).toThrow(WireError);
    expect(() => decodeControllerCapabilities(fromHex(hex))).toThrow(WireError);
  });
});

test("the largest answer there may be holds as many names as it has different numbers", () => {
  const many = Buffer.concat(Array.from({ length: 8_192 }, (_, type) => largeCapability(type % 4_096)));
  expect(many).toHaveLength(65_536);
  expect(decodeNodeCapabilities(many)).toHaveLength(4_096);
});

/** A capability of eight bytes, whose member has a type below 2^21. */
function largeCapability(type: number): Buffer {
  const varint = Buffer.of(0x80 | (type & 0x7f), 0x80 | ((type >> 7) & 0x7f), type >> 14);
  return Buffer.concat([fromHex("0a 06 0a 04 08"), varint]);
}

/** A response with one capability, whose member `member` has the enum value `type`. */
function pluginCapability(member: 1 | 2, type: number): Buffer {
  return Buffer.of(0x0a, 4, (member << 3) | 2, 2, 0x08, type);
}

interface LoadedCapability {
  readonly service?: { readonly type: string | number };
  readonly volume_expansion?: { readonly type: string | number };
  readonly rpc?: { readonly type: string | number };
}

function pluginByProtoLoader(bytes: Uint8Array): PluginCapabilities {
  const capabilities = capabilitiesOf(readResponse(IDENTITY, "GetPluginCapabilities", bytes));
  return {
    services: names(capabilities.map(({ service }) => service)),
    volumeExpansion: names(capabilities.map(({ volume_expansion: expansion }) => expansion)),
  };
}

function nodeByProtoLoader(bytes: Uint8Array): readonly string[] {
  return names(capabilitiesOf(readResponse(NODE, "NodeGetCapabilities", bytes)).map(({ rpc }) => rpc));
}

function controllerByProtoLoader(bytes: Uint8Array): readonly string[] {
  return names(capabilitiesOf(readResponse(CONTROLLER, "ControllerGetCapabilities", bytes)).map(({ rpc }) => rpc));
}

function capabilitiesOf(response: unknown): readonly LoadedCapability[] {
  // The shape that proto/csi.proto gives it.
  return (response as { capabilities: LoadedCapability[] }).capabilities;
}

/** Each name once; proto-loader leaves a number without a name as it is. */
function names(members: readonly ({ readonly type: string | number } | null | undefined)[]): readonly string[] {
  const types = members.flatMap((member) => member?.type ?? []);
  return [...new Set(types.map((type) => (typeof type === "string" ? type : `UNKNOWN(${type})`)))];
}

function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
