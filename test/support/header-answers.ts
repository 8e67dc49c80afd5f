import {
  type Answer,
  GRPC_HEADERS,
  HTTP_OK,
  READY,
  STATUS_OK,
  answer,
  headersOnly,
  trailersOnly,
} from "./grpc-answers";
import { FLAG, FRAME, type Fields, frame, headers } from "./http2-frames";

/** Answers by what their headers and trailers say; where nothing else is said, the driver is ready. */
export const HEADER_ANSWERS = {
  "answers ready without content-type": answer({ headers: HTTP_OK }),
  "answers ready as text/html": contentType("text/html"),
  "answers ready as application/grpcx": contentType("application/grpcx"),
  "answers ready as application/grpc-web": contentType("application/grpc-web"),
  "answers ready as APPLICATION/GRPC": contentType("APPLICATION/GRPC"),
  "answers ready as application/grpc+proto (right)": contentType("application/grpc+proto"),
  "answers ready as application/grpc;charset=utf-8 (right)": contentType("application/grpc;charset=utf-8"),
  "answers grpc-status 0 as text/html in trailers alone": headersOnly([
    ...HTTP_OK,
    ["content-type", "text/html"],
    ...STATUS_OK,
  ]),
  "answers grpc-status 13 without content-type in trailers alone": headersOnly([...HTTP_OK, ...status("13", "m13")]),
  "names its content-type in the trailers": answer({
    headers: HTTP_OK,
    trailers: [["content-type", "application/grpc"], ...STATUS_OK],
  }),

  "answers ready with HTTP 503 (right)": httpStatus("503"),
  "answers ready with HTTP 204 (right)": httpStatus("204"),
  "answers grpc-status 13 with HTTP 503": headersOnly([...httpFields("503"), ...status("13", "m13")]),
  "answers HTTP 503 as application/grpc without grpc-status": headersOnly(httpFields("503")),
  "answers HTTP 401 as text/plain": headersOnly([
    [":status", "401"],
    ["content-type", "text/plain"],
  ]),
  "answers ready without an HTTP status": answer({ headers: [["content-type", "application/grpc"]] }),

  "answers ready after HTTP 103 (right)": async (peer, id) => {
    peer.write(headers(id, [[":status", "103"]]));
    await answer()(peer, id);
  },
  "ends with HTTP 103": headersOnly([[":status", "103"]]),
  "answers ready with empty DATA around it (right)": async (peer, id) => {
    const empty = frame(FRAME.DATA, FLAG.NONE, id);
    peer.write(Buffer.concat([headers(id, GRPC_HEADERS), empty, empty]));
    await peer.writeData(id, READY);
    peer.write(Buffer.concat([empty, headers(id, STATUS_OK, FLAG.END_STREAM)]));
  },
  "answers ready, with HEADERS twice": async (peer, id) => {
    peer.write(headers(id, GRPC_HEADERS));
    await answer()(peer, id);
  },

  "answers grpc-status 0 in the headers and none in the trailers": answer({
    headers: [...GRPC_HEADERS, ...STATUS_OK],
    trailers: [["x-driver", "trailer"]],
  }),
  "answers grpc-status 0 in the headers and 13 in the trailers": answer({
    headers: [...GRPC_HEADERS, ...STATUS_OK],
    trailers: status("13", "m13"),
  }),
  "answers grpc-status 13 in the headers and 0 in the trailers (right)": answer({
    headers: [...GRPC_HEADERS, ...status("13", "m13")],
  }),
  "answers grpc-status abc in the headers and 0 in the trailers": answer({
    headers: [...GRPC_HEADERS, ["grpc-status", "abc"]],
  }),
  "answers grpc-status 0 in the headers and ends with DATA": answer({
    headers: [...GRPC_HEADERS, ...STATUS_OK],
    trailers: "none",
  }),
  "answers trailers without grpc-status": answer({ trailers: [["x-driver", "trailer"]] }),
  "answers grpc-status 0, then 13": answer({ trailers: [...STATUS_OK, ...status("13", "m13")] }),
  "answers grpc-status 13, then 0": answer({ trailers: [...status("13", "m13"), ...STATUS_OK] }),
  "answers grpc-status +0 (right)": answer({ trailers: [["grpc-status", "+0"]] }),
  "answers grpc-status 000 (right)": answer({ trailers: [["grpc-status", "000"]] }),
  "answers grpc-status -0 (right)": answer({ trailers: [["grpc-status", "-0"]] }),
  "answers grpc-status 0x0": answer({ trailers: [["grpc-status", "0x0"]] }),
  "answers grpc-status 0.0": answer({ trailers: [["grpc-status", "0.0"]] }),
  "answers grpc-status 1_3": trailersOnly("1_3", "m13"),
  "answers grpc-status 2147483647": trailersOnly("2147483647", "the largest"),
  "answers grpc-status 2147483648": trailersOnly("2147483648", "one too many"),
  "answers ready with a -bin header that is not base64": answer({ headers: [...GRPC_HEADERS, ["x-driver-bin", "!"]] }),

  "answers grpc-status 0 with status details of code 2": answer({
    trailers: [...STATUS_OK, ["grpc-status-details-bin", "CAI"]],
  }),
  "answers ready with two content-lengths that agree (right)": answer({
    headers: [...GRPC_HEADERS, ["content-length", "9"], ["content-length", "9"]],
  }),
  "answers ready with an HTTP status in the trailers": answer({ trailers: [...HTTP_OK, ...STATUS_OK] }),

  "answers a grpc-message with an encoded slash": trailersOnly("13", "disk%2Fsda%3A bad"),
  "answers a grpc-message with a byte that is not UTF-8": trailersOnly("13", "caf%C3%A9 %FF bad"),
  "answers a grpc-message of UTF-8 as it is": trailersOnly("13", latin1("café, 磁盘")),
  "answers a grpc-message of Latin-1 as it is": trailersOnly("13", "caf\u00e9"),
  "answers a grpc-message with a space around it": trailersOnly("13", " m13 "),
  "answers two grpc-messages": headersOnly([...GRPC_HEADERS, ...status("13", "first"), ["grpc-message", "second"]]),
  "answers a grpc-message before its headers end": answer({
    headers: [...GRPC_HEADERS, ["grpc-message", "early"]],
    trailers: [["grpc-status", "13"]],
  }),
} as const satisfies Record<string, Answer>;

function contentType(type: string): Answer {
  return answer({ headers: [...HTTP_OK, ["content-type", type]] });
}

function httpStatus(code: string): Answer {
  return answer({ headers: httpFields(code) });
}

function httpFields(code: string): Fields {
  return [
    [":status", code],
    ["content-type", "application/grpc"],
  ];
}

function status(code: string, message: string): Fields {
  return [
    ["grpc-status", code],
    ["grpc-message", message],
  ];
}

/** UTF-8 as the characters that http2-frames.ts writes byte by byte. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
