import { describe, expect, test } from "bun:test";
import { decodeNodeInfo, decodePluginDetails, decodeRegistrationInfo } from "../../src/csi/node-messages";
import { WireError } from "../../src/csi/wire";
import { loadService, readResponse } from "../support/proto-loader";
import { createMessageMaker } from "../support/random-messages";

const SEED = 20_261_122;
const ROUNDS = 5_000;
const IDENTITY = loadService("csi.proto", "csi.v1.Identity");
const NODE = loadService("csi.proto", "csi.v1.Node");
const REGISTRATION = loadService("registration.proto", "pluginregistration.Registration");

describe("read as proto-loader reads it by proto/, whatever unknown fields are in it:", () => {
  const { pluginInfo, nodeInfo, registrationInfo } = createMessageMaker(SEED);

  test.each<[string, () => Buffer, (bytes: Buffer) => unknown, (bytes: Buffer) => unknown]>([
    ["any valid GetPluginInfoResponse", pluginInfo, decodePluginDetails, detailsByProtoLoader],
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

describe("a GetPluginInfoResponse with", () => {
  test.each([
    ["nothing", "", ["", "", {}]],
    ["all of it", "0a 01 61 12 01 31 1a 06 0a 01 6b 12 01 76", ["a", "1", { k: "v" }]],
    ["a key twice: the last value holds", "1a 06 0a 01 6b 12 01 76 1a 06 0a 01 6b 12 01 77", ["", "", { k: "w" }]],
    ["an entry without a value", "1a 03 0a 01 6b", ["", "", { k: "" }]],
    ["an entry of no bytes", "1a 00", ["", "", { "": "" }]],
  ])("%s", (_, hex, expected) => {
    const { name, vendorVersion, manifest } = decodePluginDetails(fromHex(hex));
    expect([name, vendorVersion, Object.fromEntries(manifest)]).toEqual(expected);
    expect(detailsByProtoLoader(fromHex(hex))).toEqual({ name, vendorVersion, manifest });
  });

  test("a key that JavaScript's objects have of their own keeps it", () => {
    const manifest = fromHex(`1a 0e 0a 09 ${Buffer.from("__proto__").toString("hex")} 12 01 76`);
    expect([...decodePluginDetails(manifest).manifest]).toEqual([["__proto__", "v"]]);
  });

  test("a manifest as large as an answer may be", () => {
    const entries = Buffer.concat(
      Array.from({ length: 9_362 }, (_, key) => Buffer.of(0x1a, 5, 0x0a, 3, ...threeDigits(key))),
    );
    expect(entries.length).toBeWithin(65_530, 65_537);
    expect(decodePluginDetails(entries).manifest.size).toBe(9_362);
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
  ["nothing", "", { type: "", name: "", endpoint: "", supportedVersions: [] }],
  [
    "all of it",
    "0a 01 74 12 01 6e 1a 01 65 22 01 31 22 01 32",
    { type: "t", name: "n", endpoint: "e", supportedVersions: ["1", "2"] },
  ],
  [
    "a name that is not UTF-8, which is told rather than refused",
    "12 02 61 ff",
    { type: "", name: "a\ufffd", endpoint: "", supportedVersions: [] },
  ],
  [
    "numbers for text: a wrong wire type makes them unknown fields",
    "08 01 10 01 18 01 20 01",
    { type: "", name: "", endpoint: "", supportedVersions: [] },
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
    expect(() => decodePluginDetails(fromHex(hex))).toThrow(WireError);
    expect(() => decodeNodeInfo(fromHex(hex))).toThrow(WireError);
    expect(() => decodeRegistrationInfo(fromHex(hex))).toThrow(WireError);
  });

  test("a map entry or a topology that is cut off", () => {
    expect(() => decodePluginDetails(fromHex("1a 02 0a 01"))).toThrow(WireError);
    expect(() => decodeNodeInfo(fromHex("1a 02 0a 01"))).toThrow(WireError);
    expect(() => decodeNodeInfo(fromHex("1a 04 0a 02 0a 01"))).toThrow(WireError);
  });
});

// Of what proto-loader reads, the shapes that the proto files give it.

function detailsByProtoLoader(bytes: Uint8Array): unknown {
  const info = readResponse(IDENTITY, "GetPluginInfo", bytes) as {
    name: string;
    vendor_version: string;
    manifest: Record<string, string>;
  };
  return { name: info.name, vendorVersion: info.vendor_version, manifest: new Map(Object.entries(info.manifest)) };
}

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
  const { supported_versions: supportedVersions, ...info } = readResponse(REGISTRATION, "GetInfo", bytes) as {
    type: string;
    name: string;
    endpoint: string;
    supported_versions: string[];
  };
  return { ...info, supportedVersions };
}

/** A number up to 91,124 as three characters of ASCII. */
function threeDigits(number: number): readonly number[] {
  return [0, 1, 2].map((place) => 0x24 + (Math.floor(number / 45 ** place) % 45));
}

function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
