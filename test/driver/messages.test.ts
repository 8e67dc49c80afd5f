import { describe, expect, test } from "bun:test";
import { GET_PLUGIN_INFO, PROBE } from "../../src/driver/messages";
import { WireError } from "../../src/grpc/wire";
import { BY_PROTO_LOADER } from "../support/proto-loader";
import { createMessageMaker } from "../support/random-messages";

const SEED = 20_261_122;
const ROUNDS = 5_000;

describe("read as proto-loader reads it by proto/csi.proto:", () => {
  test("any valid ProbeResponse, whatever unknown fields are in it", () => {
    const { probeResponse } = createMessageMaker(SEED);
    compare(probeResponse, PROBE.decode, BY_PROTO_LOADER.probe);
  });

  test("any valid GetPluginInfoResponse, whatever unknown fields are in it", () => {
    const { pluginInfo } = createMessageMaker(SEED);
    compare(pluginInfo, GET_PLUGIN_INFO.decode, BY_PROTO_LOADER.pluginInfo);
  });
});

describe("a ProbeResponse", () => {
  test.each([
    ["without ready is ready: the CSI spec has the caller assume so", "", true],
    ["with ready true is ready", "0a 02 08 01", true],
    ["with ready false, left out, is not ready", "0a 00", false],
    ["with ready false, in writing, is not ready", "0a 02 08 00", false],
    ["with any number but 0 for true is ready", "0a 02 08 02", true],
    ["with an unknown field alone is ready", "12 00", true],
    ["whose BoolValue holds only what nobody knows is not ready", "0a 02 10 01", false],
    ["whose value comes twice means the last one", "0a 04 08 01 08 00", false],
  ])("%s", (_, hex, ready) => {
    expect(PROBE.decode(fromHex(hex))).toEqual({ ready });
    expect(BY_PROTO_LOADER.probe(fromHex(hex))).toEqual({ ready });
  });
});

// In each row protobufjs departs from the specification, and Go's protobuf does not.
describe("a ProbeResponse that protobufjs would misread", () => {
  test.each([
    ["has ready twice: they are merged, so what was set stays set", "0a 02 08 01 0a 00", true],
    ["has ready twice, both set: the last one holds", "0a 02 08 01 0a 02 08 00", false],
    ["has ready as a number: a wrong wire type makes it an unknown field", "08 00", true],
    ["has ready in a group: likewise", "0b 08 00 0c", true],
    ["has its value as bytes: likewise", "0a 03 0a 01 41", false],
    ["has a value that is not 0 above its 32nd bit", "0a 06 08 80 80 80 80 10", true],
  ])("%s", (_, hex, ready) => {
    expect(PROBE.decode(fromHex(hex))).toEqual({ ready });
  });
});

describe("refused, as the encoding's specification has it:", () => {
  test.each([
    ["a length beyond the end", "0a 7f 08"],
    ["a BoolValue that is cut off", "0a 01 08"],
    ["a BoolValue with a length beyond its own end", "0a 02 12 7f 08 01"],
    ["a varint of eleven bytes as the value", `0a 0c 08 ${"80 ".repeat(10)}01`],
    ["field number 0", "00 00"],
    ["field number 0 in the BoolValue", "0a 02 00 00"],
    ["wire type 6", "0a 02 08 01 16"],
    ["wire type 7", "0a 02 08 01 17"],
    ["a group that does not end", "0a 02 08 01 13"],
    ["a group that ends under another number", "13 1c"],
    ["an unknown field that is cut off, after a good ready", "0a 02 08 01 15 00"],
  ])("%s", (_, hex) => {
    expect(() => PROBE.decode(fromHex(hex))).toThrow(WireError);
    expect(() => GET_PLUGIN_INFO.decode(fromHex(`${hex} 0e`))).toThrow(WireError);
  });
});

test.each([
  ["both fields", "0a 01 61 12 01 31", { name: "a", vendorVersion: "1" }],
  ["nothing", "", { name: "", vendorVersion: "" }],
  ["a name twice: the last one holds", "0a 01 61 0a 01 62", { name: "b", vendorVersion: "" }],
  ["a name that is a number: a wrong wire type makes it an unknown field", "08 01", { name: "", vendorVersion: "" }],
  [
    "a name that is not UTF-8, which is told rather than refused",
    "0a 02 61 ff",
    { name: "a\ufffd", vendorVersion: "" },
  ],
])("a GetPluginInfoResponse with %s", (_, hex, info) => {
  expect(GET_PLUGIN_INFO.decode(fromHex(hex))).toEqual(info);
});

function compare(make: () => Buffer, ours: (bytes: Buffer) => unknown, theirs: (bytes: Buffer) => unknown): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = make();
    const where = { seed: SEED, round, bytes: bytes.toString("hex") };
    expect({ ...where, read: ours(bytes) }).toEqual({ ...where, read: theirs(bytes) });
  }
}

function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
