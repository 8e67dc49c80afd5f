import { expect, test } from "bun:test";
import { readSchema } from "../../src/grpc/schema";

test("a message is read from proto/ with all that it is made of", () => {
  expect(readSchema("csi.proto", ["csi.v1.ProbeResponse"])).toEqual({
    "csi.v1.ProbeResponse": {
      isOneof: false,
      fields: {
        1: { name: "ready", repeated: false, kind: { type: "message", message: "google.protobuf.BoolValue" } },
      },
    },
    "google.protobuf.BoolValue": {
      isOneof: false,
      fields: { 1: { name: "value", repeated: false, kind: { type: "bool" } } },
    },
  });
});

test("a oneof, and the names of an enum", () => {
  expect(readSchema("csi.proto", ["csi.v1.PluginCapability"])).toMatchObject({
    "csi.v1.PluginCapability": { isOneof: true },
    "csi.v1.PluginCapability.VolumeExpansion": {
      fields: { 1: { kind: { type: "enum", names: { 0: "UNKNOWN", 1: "ONLINE", 2: "OFFLINE" } } } },
    },
  });
});

test("a message that is not declared stops the build", () => {
  expect(() => readSchema("csi.proto", ["csi.v1.ProbeReply"])).toThrow(
    "proto/csi.proto declares no message csi.v1.ProbeReply",
  );
});

test("a type that the reader does not know stops the build", () => {
  expect(() => readSchema("csi.proto", ["google.protobuf.DoubleValue"])).toThrow(
    "the reader of messages does not know the type TYPE_DOUBLE of google.protobuf.DoubleValue.value",
  );
});
