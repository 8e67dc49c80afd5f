import { describe, expect, test } from "bun:test";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  GET_REGISTRATION_INFO,
  NODE_GET_CAPABILITIES,
  NODE_GET_INFO,
  type PluginCapabilities,
} from "../../src/driver/node-messages";
import { WireError } from "../../src/grpc/wire";
import { BY_PROTO_LOADER } from "../support/proto-loader";
import { createMessageMaker } from "../support/random-messages";

const SEED = 20_261_122;
const ROUNDS = 5_000;

const NONE: PluginCapabilities = { services: [], volumeExpansion: [] };

describe("read as proto-loader reads it by proto/, whatever unknown fields are in it:", () => {
  const { nodeInfo, registrationInfo, pluginCapabilities, rpcCapabilities } = createMessageMaker(SEED);

  test.each<[string, () => Buffer, (bytes: Buffer) => unknown, (bytes: Buffer) => unknown]>([
    ["any valid NodeGetInfoResponse", nodeInfo, NODE_GET_INFO.decode, BY_PROTO_LOADER.nodeInfo],
    [
      "any valid PluginInfo of a registration",
      registrationInfo,
      GET_REGISTRATION_INFO.decode,
      BY_PROTO_LOADER.registrationInfo,
    ],
    [
      "any valid GetPluginCapabilitiesResponse",
      pluginCapabilities,
      GET_PLUGIN_CAPABILITIES.decode,
      BY_PROTO_LOADER.pluginCapabilities,
    ],
    [
      "any valid NodeGetCapabilitiesResponse",
      rpcCapabilities,
      NODE_GET_CAPABILITIES.decode,
      BY_PROTO_LOADER.nodeCapabilities,
    ],
    [
      "any valid ControllerGetCapabilitiesResponse",
      rpcCapabilities,
      CONTROLLER_GET_CAPABILITIES.decode,
      BY_PROTO_LOADER.controllerCapabilities,
    ],
  ])("%s", (_, make, ours, theirs) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = make();
      const where = { seed: SEED, round, bytes: bytes.toString("hex") };
      expect({ ...where, read: ours(bytes) }).toEqual({ ...where, read: theirs(bytes) });
    }
  });
});

describe("a NodeGetInfoResponse with", () => {
  test.each([
    ["nothing", "", ["", 0, {}]],
    ["all of it", "0a 01 6e 10 19 1a 08 0a 06 0a 01 7a 12 01 61", ["n", 25, { z: "a" }]],
    ["the largest number of volumes that is exact", "10 ff ff ff ff ff ff ff 0f", ["", 2 ** 53 - 1, {}]],
    ["the number of volumes that some drivers say for any", "10 ff ff ff ff ff ff ff ff 7f", ["", 2 ** 63, {}]],
    ["a negative one, which no driver may say", "10 ff ff ff ff ff ff ff ff ff 01", ["", -1, {}]],
    ["an empty topology", "1a 00", ["", 0, {}]],
  ])("%s", (_, hex, expected) => {
    const { nodeId, maxVolumesPerNode, topologySegments } = NODE_GET_INFO.decode(fromHex(hex));
    expect([nodeId, maxVolumesPerNode, Object.fromEntries(topologySegments)]).toEqual(expected);
    expect(BY_PROTO_LOADER.nodeInfo(fromHex(hex))).toEqual({ nodeId, maxVolumesPerNode, topologySegments });
  });

  // protobufjs replaces the first topology, where the specification merges them.
  test("its topology twice: they are merged", () => {
    const twice = fromHex("1a 08 0a 06 0a 01 61 12 01 31 1a 08 0a 06 0a 01 62 12 01 32");
    expect([...NODE_GET_INFO.decode(twice).topologySegments]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });
});

test.each([
  ["nothing", "", { type: "", name: "", endpoint: "" }],
  ["all of it", "0a 01 74 12 01 6e 1a 01 65 22 01 31 22 01 32", { type: "t", name: "n", endpoint: "e" }],
  [
    "a name that is not UTF-8, which is told rather than refused",
    "12 02 61 ff",
    { type: "", name: "a\ufffd", endpoint: "" },
  ],
  [
    "numbers for text: a wrong wire type makes them unknown fields",
    "08 01 10 01 18 01 20 01",
    { type: "", name: "", endpoint: "" },
  ],
])("a registration's PluginInfo with %s", (_, hex, info) => {
  expect(GET_REGISTRATION_INFO.decode(fromHex(hex))).toEqual(info);
});

// A number that neither side names reads alike on both, so the property above alone would not miss a name.
describe("every number is named as in proto/csi.proto, and the next one is not:", () => {
  test.each([
    [
      "PluginCapability.Service",
      6,
      (type: number) => GET_PLUGIN_CAPABILITIES.decode(pluginCapability(1, type)).services,
      (type: number) => BY_PROTO_LOADER.pluginCapabilities(pluginCapability(1, type)).services,
    ],
    [
      "PluginCapability.VolumeExpansion",
      3,
      (type: number) => GET_PLUGIN_CAPABILITIES.decode(pluginCapability(2, type)).volumeExpansion,
      (type: number) => BY_PROTO_LOADER.pluginCapabilities(pluginCapability(2, type)).volumeExpansion,
    ],
    [
      "NodeServiceCapability.RPC",
      9,
      (type: number) => NODE_GET_CAPABILITIES.decode(pluginCapability(1, type)),
      (type: number) => BY_PROTO_LOADER.nodeCapabilities(pluginCapability(1, type)),
    ],
    [
      "ControllerServiceCapability.RPC",
      18,
      (type: number) => CONTROLLER_GET_CAPABILITIES.decode(pluginCapability(1, type)),
      (type: number) => BY_PROTO_LOADER.controllerCapabilities(pluginCapability(1, type)),
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
  expect(GET_PLUGIN_CAPABILITIES.decode(fromHex(hex))).toEqual(capabilities);
  expect(BY_PROTO_LOADER.pluginCapabilities(fromHex(hex))).toEqual(capabilities);
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
    expect(GET_PLUGIN_CAPABILITIES.decode(fromHex(hex))).toEqual(capabilities);
  });
});

describe("NodeGetInfo and a registration refuse, as the encoding's specification has it:", () => {
  test.each([
    ["a length beyond the end", "0a 7f 08"],
    ["field number 0", "00 00"],
    ["wire type 7", "0f 01"],
    ["a group that does not end", "13"],
    ["an unknown field that is cut off, after a good name", "0a 01 61 7d 00"],
  ])("%s", (_, hex) => {
    expect(() => NODE_GET_INFO.decode(fromHex(hex))).toThrow(WireError);
    expect(() => GET_REGISTRATION_INFO.decode(fromHex(hex))).toThrow(WireError);
  });

  test("a topology that is cut off, or a map entry in one", () => {
    expect(() => NODE_GET_INFO.decode(fromHex("1a 02 0a 01"))).toThrow(WireError);
    expect(() => NODE_GET_INFO.decode(fromHex("1a 04 0a 02 0a 01"))).toThrow(WireError);
  });
});

describe("capabilities refuse, as the encoding's specification has it:", () => {
  test.each([
    ["a length beyond the end", "0a 7f 08"],
    ["a capability that is cut off", "0a 03 0a 02 08"],
    ["a type that is cut off", "0a 03 0a 01 08"],
    ["a varint of eleven bytes as the type", `0a 0e 0a 0c 08 ${"80 ".repeat(10)}01`],
    ["field number 0 in a capability", "0a 02 00 00"],
    ["wire type 7 in a capability", "0a 01 0f"],
    ["a group that does not end, after a good capability", "0a 04 0a 02 08 01 13"],
  ])("%s", (_, hex) => {
    expect(() => GET_PLUGIN_CAPABILITIES.decode(fromHex(hex))).toThrow(WireError);
    expect(() => NODE_GET_CAPABILITIES.decode(fromHex(hex))).toThrow(WireError);
    expect(() => CONTROLLER_GET_CAPABILITIES.decode(fromHex(hex))).toThrow(WireError);
  });
});

test("the largest answer there may be holds as many names as it has different numbers", () => {
  const many = Buffer.concat(Array.from({ length: 8_192 }, (_, type) => largeCapability(type % 4_096)));
  expect(many).toHaveLength(65_536);
  expect(NODE_GET_CAPABILITIES.decode(many)).toHaveLength(4_096);
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

function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
