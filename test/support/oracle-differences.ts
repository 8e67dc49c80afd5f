import type { BehaviourName } from "./hostile-behaviours";

/** Behaviours whose every probe takes the whole timeout with one client at least. */
export const SLOW: ReadonlySet<BehaviourName> = new Set([
  "accepts and never answers",
  "accepts and closes at once",
  "accepts and drops the connection",
  "speaks HTTP/1.1",
  "speaks TLS",
  "sends garbage",
  "sends garbage without end",
  "greets first, as SSH does",
  "sends SETTINGS that are forbidden",
  "sends SETTINGS that allow no streams",
  "sends SETTINGS that allow no bytes",
  "sends half of its SETTINGS",
  "answers ready after SETTINGS of frames too small (right)",
  "answers ready after WINDOW_UPDATE and SETTINGS",
  "takes the request and never answers",
  "answers two messages",
  "answers ready, and an empty message",
  "answers the message and never the trailers",
  "answers headers and never a message",
  "trickles one byte of the answer each 100 ms",
  "sends a graceful GOAWAY after SETTINGS",
  "sends a graceful GOAWAY and never answers",
]);

const FLOOD = "a flood passes a limit or lasts until the deadline, as the machine is busy";

/** What is not compared, and why. */
export const UNCOMPARED: Partial<Record<BehaviourName, string>> = {
  "floods with PINGs": FLOOD,
  "floods with SETTINGS": FLOOD,
  "floods the stream with empty DATA": FLOOD,
};

/**
 * Where the driver itself has something to say. Its message is compared too; elsewhere each client has words of its
 * own.
 */
export const SAYS_SOMETHING: ReadonlySet<BehaviourName> = new Set([
  "answers grpc-status 13 with message m13",
  "answers grpc-status 13 after a message",
  "answers grpc-status 13 with HTTP 503",
  "answers grpc-status 14 in trailers alone",
  "answers grpc-status 99",
  "answers grpc-status 2147483647",
  "answers grpc-status 0 in the headers and 13 in the trailers",
  "answers a grpc-message before its headers end",
  "answers a grpc-message with percent-encoded newlines",
  "answers a grpc-message with ANSI escapes",
  "answers a grpc-message with raw ANSI escapes",
  "answers a grpc-message with broken percent-encoding",
  "answers a grpc-message that is not UTF-8",
  "answers a grpc-message with direction overrides",
  "answers a grpc-message with an encoded slash",
  "answers a grpc-message with a byte that is not UTF-8",
  "answers a grpc-message of UTF-8 as it is",
  "answers a grpc-message of Latin-1 as it is",
  "answers a grpc-message with a space around it",
  "answers two grpc-messages",
  "answers a grpc-message of 8 KB",
  "answers a grpc-message of 60 KB",
  "answers a grpc-message of 70 KB",
  "answers a grpc-message of 1 MB",
  "answers a grpc-message of 4 MB",
]);

/**
 * What a probe came to, in words: `ready`, `not ready`, or a status code, with the message where the driver sent one.
 */
export type Verdict = string;

/** A difference on purpose. */
export type Difference = readonly [ours: Verdict, theirs: Verdict, why: string];

const SMALL = "an answer may have 64 KiB, for the sake of memory";
const MANY_HEADERS = "headers may have 128 KiB, for the sake of memory";
const LONG_HEADER = "Bun's HTTP/2 library takes no header of more than 64 KiB";
const AT_ONCE = "Bun's HTTP/2 library answers no more than 1,000 PINGs and SETTINGS that arrive at once";
const HTTP1_HEADER = "Bun's HTTP/2 library rejects headers of HTTP/1.1, as RFC 9113, section 8.2.2, demands";
const PUSH =
  "each promise would cost memory for as long as the connection lasts, so push is off, which ends the connection";
const STRICT = "Bun's HTTP/2 library rejects what RFC 9113 forbids here, and grpc-go takes it";
const BROKEN_FRAME =
  "grpc-go calls a broken frame a lost connection, Bun's HTTP/2 library a protocol error, as it does headers";
const REPEATED = "nobody can know which of two statuses a driver means, so neither is taken";
const RESET = "the gRPC specification maps FLOW_CONTROL_ERROR to Internal, and does not know other codes";

export const FROM_GRPC_GO: Partial<Record<BehaviourName, Difference>> = {
  "answers a message of 65,537 bytes": ["ResourceExhausted", "ready", SMALL],
  "answers a message of 3 MB": ["ResourceExhausted", "ready", SMALL],

  "answers ready after a header of 70 KB (right)": ["Internal", "ready", LONG_HEADER],
  "answers ready after 1 MB of headers (right)": ["Internal", "ready", MANY_HEADERS],
  "answers a grpc-message of 70 KB": ["Internal: unreadable", "FailedPrecondition: 70000 characters", LONG_HEADER],
  "answers a grpc-message of 1 MB": ["Internal: unreadable", "FailedPrecondition: 1000000 characters", LONG_HEADER],
  "answers a grpc-message of 4 MB": ["Internal: unreadable", "Internal: 4194304 characters", LONG_HEADER],
  "answers ready after 5,000 PINGs (right)": ["Internal", "ready", AT_ONCE],
  "answers ready after 5,000 SETTINGS (right)": ["Internal", "ready", AT_ONCE],
  "pushes a promise before it answers": ["Internal", "ready", PUSH],
  "answers ready with a connection header (right)": ["Internal", "ready", HTTP1_HEADER],
  "answers ready with a transfer-encoding header (right)": ["Internal", "ready", HTTP1_HEADER],
  "sends GOAWAY with an error, then answers ready": [
    "Unavailable",
    "ready",
    "node:http2 ends every call at a GOAWAY with an error",
  ],
  "declares a frame of 16 MB": ["Internal", "Unavailable", BROKEN_FRAME],
  "never ends its headers": ["Internal", "Unavailable", BROKEN_FRAME],
  "answers a grpc-message with raw ANSI escapes": [
    "Internal: ",
    'Internal: invalid header field value for "grpc-message"',
    "Bun's HTTP/2 library drops a header with control characters, grpc-go rejects the answer",
  ],

  "answers grpc-status 0, then 13": ["Unknown", "Internal", REPEATED],
  "answers grpc-status 13, then 0": ["Unknown", "ready", REPEATED],
  "answers HTTP 503 as application/grpc without grpc-status": [
    "Unavailable",
    "Unknown",
    "the gRPC specification maps HTTP 503 to Unavailable where grpc-status is missing; grpc-go looks at the content-type alone",
  ],
  "answers grpc-status 0 with status details of code 2": [
    "ready",
    "Internal",
    "the details are not read; the status and the message are whole",
  ],
  "answers ready with two content-lengths that agree (right)": ["Internal", "ready", STRICT],
  "answers ready with an HTTP status in the trailers": ["Internal", "ready", STRICT],
  "answers ready after SETTINGS of frames too small (right)": ["DeadlineExceeded", "ready", STRICT],
  "answers ready after a window of over 2 GiB (right)": ["Internal", "ready", STRICT],
  "answers ready after WINDOW_UPDATE and SETTINGS": [
    "ready",
    "DeadlineExceeded",
    "Bun's HTTP/2 library takes a frame before SETTINGS",
  ],
  "answers ready after SETTINGS that allow no headers": [
    "ready",
    "Internal",
    "the limit is advisory (RFC 9113, section 6.5.2), and this driver answers",
  ],
  "answers ready with a -bin header that is not base64": [
    "ready",
    "Internal",
    "nobody asks for this header, so it is not decoded; the status and the message are whole",
  ],
  "resets the stream with FLOW_CONTROL_ERROR": ["Internal", "ResourceExhausted", RESET],
  "resets the stream with an error code that HTTP/2 has not": ["Internal", "Unknown", RESET],
};

const CONTENT_TYPE = "grpc-js does not look at the content-type: it would be a false ready";
const LIBRARY_DEFAULT = "grpc-js leaves the limits of the HTTP/2 library as they are";
const NUMBER = "grpc-js reads grpc-status with JavaScript's Number: Go's rules for numbers hold here";
const NO_MESSAGE = "grpc-js calls a status OK without a message Unimplemented, grpc-go Internal";
const DECODE_URI =
  "grpc-js decodes grpc-message with decodeURI, which is for other texts and gives up at a byte that is not UTF-8";
const SECOND = "grpc-js waits for ever after a second message";
const HALF = "grpc-js drops what is no whole message";
const OWN_ERROR = "grpc-js fails with an error of its own";
const OWN_WORDS = "the limit is the library's, and each client says so in its own words";
const PROTOCOL_ERROR = "Internal: Received RST_STREAM with code 2 triggered by internal client error: Protocol error";
const ASCII = "grpc-js drops a header that is not ASCII";

export const FROM_GRPC_JS: Partial<Record<BehaviourName, Difference>> = {
  "pushes a promise before it answers": ["Internal", "ready", PUSH],
  "answers a message of 65,537 bytes": ["ResourceExhausted", "ready", SMALL],
  "answers a message of 3 MB": ["ResourceExhausted", "ready", SMALL],

  "answers HTTP 200 text/html without grpc-status": ["Unknown", "ResourceExhausted", CONTENT_TYPE],
  "answers ready without content-type": ["Unknown", "ready", CONTENT_TYPE],
  "answers ready as text/html": ["Unknown", "ready", CONTENT_TYPE],
  "answers ready as application/grpcx": ["Unknown", "ready", CONTENT_TYPE],
  "answers ready as application/grpc-web": ["Unknown", "ready", CONTENT_TYPE],
  "answers ready as APPLICATION/GRPC": ["Unknown", "ready", CONTENT_TYPE],
  "answers grpc-status 0 as text/html in trailers alone": ["Unknown", "Unimplemented", CONTENT_TYPE],
  "answers grpc-status 13 without content-type in trailers alone": ["Unknown", "Internal", CONTENT_TYPE],
  "names its content-type in the trailers": ["Unknown", "ready", CONTENT_TYPE],

  "answers ready after 5,000 empty DATA (right)": ["ready", "Internal", LIBRARY_DEFAULT],
  "answers ready after 500 header fields (right)": ["ready", "ResourceExhausted", LIBRARY_DEFAULT],
  "answers ready before 500 trailer fields (right)": ["ready", "ResourceExhausted", LIBRARY_DEFAULT],
  "answers ready after 70 KB of headers (right)": ["ready", "Internal", LIBRARY_DEFAULT],
  "answers ready after 125 KB of headers (right)": ["ready", "Internal", LIBRARY_DEFAULT],

  "answers grpc-status abc": ["Unknown", "Code(NaN)", NUMBER],
  "answers grpc-status abc in the headers and 0 in the trailers": ["Unknown", "ready", NUMBER],
  "answers grpc-status -1": ["Code(4294967295)", "Code(-1)", NUMBER],
  "answers an empty grpc-status": ["Unknown", "Unimplemented", NUMBER],
  "answers grpc-status 0x0": ["Unknown", "ready", NUMBER],
  "answers grpc-status 0.0": ["Unknown", "ready", NUMBER],
  "answers grpc-status 1_3": ["Unknown", "Code(NaN)", NUMBER],
  "answers grpc-status 2147483648": ["Unknown", "Code(2147483648)", NUMBER],
  "answers grpc-status 0, then 13": ["Unknown", "Code(NaN)", NUMBER],
  "answers grpc-status 13, then 0": ["Unknown", "Code(NaN)", NUMBER],

  "answers grpc-status 0 in trailers alone": ["Internal", "Unimplemented", NO_MESSAGE],
  "answers grpc-status 0 without a message": ["Internal", "Unimplemented", NO_MESSAGE],
  "answers half a message": ["Internal", "Unimplemented", NO_MESSAGE],
  "answers 3 bytes of a prefix": ["Internal", "Unimplemented", NO_MESSAGE],
  "answers two messages": ["Internal", "DeadlineExceeded", SECOND],
  "answers ready, and an empty message": ["Internal", "DeadlineExceeded", SECOND],
  "answers ready, and 3 bytes more": ["Internal", "ready", HALF],
  "answers ready, and the prefix of a message": ["Internal", "ready", HALF],
  "answers ready with a flag that gRPC has not": ["Internal", "ready", "grpc-js looks at one bit of the flag"],
  "answers ready with grpc-encoding gzip, compressed": ["Internal", "ready", "we accept no compression, as grpc-go"],
  "answers a compressed message without grpc-encoding": ["Internal", "Code(NaN)", OWN_ERROR],
  "answers ready with grpc-encoding identity, called compressed": ["Internal", "Code(NaN)", OWN_ERROR],
  "sends GOAWAY with an error, then answers ready": [
    "Unavailable",
    "Internal",
    "grpc-js takes the end of the connection for a fault of its own",
  ],

  "answers a grpc-message that is not UTF-8": ["Internal: \ufffd\ufffd \ufffd", "Internal: %FF%FE %C3", DECODE_URI],
  "answers a grpc-message with an encoded slash": [
    "Internal: disk/sda: bad",
    "Internal: disk%2Fsda%3A bad",
    DECODE_URI,
  ],
  "answers a grpc-message with a byte that is not UTF-8": [
    "Internal: caf\u00e9 \ufffd bad",
    "Internal: caf%C3%A9 %FF bad",
    DECODE_URI,
  ],
  "answers a grpc-message of UTF-8 as it is": ["Internal: caf\u00e9, \u78c1\u76d8", "Internal: ", ASCII],
  "answers a grpc-message of Latin-1 as it is": ["Internal: caf\ufffd", "Internal: ", ASCII],
  "answers a grpc-message with a space around it": [
    "Internal:  m13 ",
    "Internal: ",
    "the HTTP/2 library drops it by default",
  ],
  "answers two grpc-messages": ["Internal: second", "Internal: first, second", "grpc-go takes the last one"],
  "answers a grpc-message of 70 KB": ["Internal: unreadable", PROTOCOL_ERROR, OWN_WORDS],
  "answers a grpc-message of 1 MB": ["Internal: unreadable", PROTOCOL_ERROR, OWN_WORDS],
  "answers a grpc-message of 4 MB": ["Internal: unreadable", PROTOCOL_ERROR, OWN_WORDS],
};
