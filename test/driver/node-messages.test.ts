import { describe, expect, test } from "bun:test";
import { decodeNodeInfo, decodeRegistrationInfo } from "../../src/driver/node-messages";
import { WireError } from "../../src/grpc/wire";
import { loadService, readResponse } from "../support/proto-loader";
import { createMessageMaker } from "../support/random-messages";

const SEED = 20_261_122;
const ROUNDS = 5_000;
const NODE = loadService("csi.proto", "csi.v1.Node");
const REGISTRATION = loadService("registration.proto", "pluginregistration.Registration");

describe("read as proto-loader reads it by proto/, whatever unknown fields are in it:", () => {
  const { nodeInfo, registrationInfo } = createMessageMaker(SEED);

  test.each<[string, () => Buffer, (bytes: Buffer) => unknown, (bytes: Buffer) => unknown]>([
    ["any valid NodeGetInfoResponse", nodeInfo, decodeNodeInfo, nodeInfoByProtoLoader],
    ["any valid PluginInfo of a registration", registrationInfo, decodeRegistrationInfo, registrationByProtoLoader],
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
    const { nodeId, maxVolumesPerNode, topologySegments } = decodeNodeInfo(fromHex(hex));
    expect([nodeId, maxVolumesPerNode, Object.fromEntries(topologySegments)]).toEqual(expected);
    expect(nodeInfoByProtoLoader(fromHex(hex))).toEqual({ nodeId, maxVolumesPerNode, topologySegments });
  });

  // protobufjs replaces the first topology, where the specification merges them.
  test("its topology twice: they are merged", () => {
    const twice = fromHex("1a 08 0a 06 0a 01 61 12 01 31 1a 08 0a 06 0a 01 62 12 01 32");
    expect([...decodeNodeInfo(twice).topologySegments]).toEqual([
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
  expect(decodeRegistrationInfo(fromHex(hex))).toEqual(info);
});

describe("refused, as the encoding's specification has it:", () => {
  test.each([
    ["a length beyond the end", "0a 7f 08"],
    ["field number 0", "00 00"],
    ["wire type 7", "0f 01"],
    ["a group that does not end", "13"],
    ["an unknown field that is cut off, after a good name", "0a 01 61 7d 00"],
  ])("%s", (_, hex) => {
    expect(() => decodeNodeInfo(fromHex(hex))).toThrow(WireError);
    expect(() => decodeRegistrationInfo(fromHex(hex))).toThrow(WireError);
  });

  test("a topology that is cut off, or a map entry in one", () => {
    expect(() => decodeNodeInfo(fromHex("1a 02 0a 01"))).toThrow(WireError);
    expect(() => decodeNodeInfo(fromHex("1a 04 0a 02 0a 01"))).toThrow(WireError);
  });
});

// Of what proto-loader reads, the shapes that the proto files give it.

function nodeInfoByProtoLoader(bytes: Uint8Array): unknown {
  const info = readResponse(NODE, "NodeGetInfo", bytes) as {
    node_id: string;
    max_volumes_per_node: number;
    accessible_topology: { segments: Record<string, string> } | null;
  };
  const segments = info.accessible_topology?.segments ?? {};
  const topologySegments = new Map(Object.entries(segments));
  return { nodeId: info.node_id, maxVolumesPerNode: info.max_volumes_per_node, topologySegments };
}

function registrationByProtoLoader(bytes: Uint8Array): unknown {
  const { supported_versions: _, ...info } = readResponse(REGISTRATION, "GetInfo", bytes) as {
    type: string;
    name: string;
    endpoint: string;
    supported_versions: string[];
  };
  return info;
}

function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
