import { gzipSync } from "node:zlib";
import { type Answer, GRPC_HEADERS, READY, answer } from "./grpc-answers";
import { grpcMessage } from "./http2-frames";
import { PROBE_RESPONSE } from "./probe-messages";

/** Answers by the bytes of their message, which is a `csi.v1.ProbeResponse`. */
export const MESSAGE_ANSWERS = {
  "answers ready, and 3 bytes more": body(Buffer.concat([READY, Buffer.of(0, 0, 0)])),
  "answers ready, and the prefix of a message": body(Buffer.concat([READY, Buffer.of(0, 0, 0, 0, 9)])),
  "answers ready, and an empty message": body(Buffer.concat([READY, Buffer.alloc(5)])),
  "answers 3 bytes of a prefix": body(Buffer.of(0, 0, 0)),
  "answers ready with a flag that gRPC has not": body(Buffer.concat([Buffer.of(2), READY.subarray(1)])),
  "answers ready with grpc-encoding gzip, not compressed (right)": encoded("gzip", READY),
  "answers ready with grpc-encoding gzip, compressed": encoded("gzip", grpcMessage(gzipSync(PROBE_RESPONSE.ready), 1)),
  "answers ready with grpc-encoding identity, called compressed": encoded(
    "identity",
    grpcMessage(PROBE_RESPONSE.ready, 1),
  ),

  "answers ready twice: true, then nothing": message("0a 02 08 01 0a 00"),
  "answers ready twice: true, then false": message("0a 02 08 01 0a 02 08 00"),
  "answers ready twice: false, then true": message("0a 02 08 00 0a 02 08 01"),
  "answers ready as the number 2": message("0a 02 08 02"),
  "answers ready as 2 to the power of 63": message("0a 0b 08 80 80 80 80 80 80 80 80 80 01"),
  "answers ready as 2 to the power of 64": message("0a 0b 08 80 80 80 80 80 80 80 80 80 02"),
  "answers ready as a varint of 11 bytes": message("0a 0c 08 81 80 80 80 80 80 80 80 80 80 00"),
  "answers ready as a long zero": message("0a 04 08 80 80 00"),
  "answers ready as a number, not a message": message("08 00"),
  "answers ready as 32 bits": message("0a 05 0d 00 00 00 00"),
  "answers an unknown field, then not ready": message("7a 02 01 02 0a 00"),
  "answers a field numbered 0": message("02 00"),
  "answers a field numbered 0 in ready": message("0a 02 00 00"),
  "answers a field of the largest number, then not ready": message("fa ff ff ff 0f 00 0a 00"),
  "answers a field of a number too large": message("82 80 80 80 10 00"),
  "answers a field of wire type 6": message("7e 00"),
  "answers a field of wire type 7": message("7f 00"),
  "answers a group, then not ready": message("7b 08 01 7c 0a 00"),
  "answers a group within a group, then not ready": message("7b 73 74 7c 0a 00"),
  "answers a group that never ends": message("7b 08 01"),
  "answers the end of a group alone": message("7c"),
  "answers the end of another group": message("7b 74"),
  "answers ready in a group": message("0b 08 00 0c"),
  "answers a tag and no more": message("0a"),
  "answers a length beyond the end": message("0a 03 08 01"),
  "answers a length of 2 to the power of 31": message("0a 80 80 80 80 08"),
  "answers a length of 2 to the power of 63": message("0a 80 80 80 80 80 80 80 80 80 01"),
  "answers half a fixed64": message("79 00 00"),
  "answers half a fixed32": message("7d 00 00"),
  "answers half a varint": message("78 80"),
  "answers a tag of 6 bytes": message("8a 80 80 80 80 00 00"),
} as const satisfies Record<string, Answer>;

function body(bytes: Uint8Array): Answer {
  return answer({ body: bytes });
}

/** A message in hexadecimal digits. */
function message(hex: string): Answer {
  return body(grpcMessage(Buffer.from(hex.replaceAll(" ", ""), "hex")));
}

function encoded(encoding: string, bytes: Uint8Array): Answer {
  return answer({ headers: [...GRPC_HEADERS, ["grpc-encoding", encoding]], body: bytes });
}
