/** HTTP/2 frame types (RFC 9113, section 6). */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; ACK and END_STREAM share a bit. */
export const FLAG = { NONE: 0, ACK: 1, END_STREAM: 1, END_HEADERS: 4 } as const;

/** Error codes (RFC 9113, section 7). */
export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** Identifiers of settings (RFC 9113, section 6.5.2). */
export const SETTING = {
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** The largest payload that needs no leave of the peer (RFC 9113, section 4.2), in bytes. */
export const MAX_PAYLOAD_BYTES = 16_384;

export type Fields = readonly (readonly [name: string, value: string])[];

/** One frame. Neither the length nor the sense of the payload is checked: hostile drivers are made of these. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export function settings(...values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  values.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return frame(FRAME.SETTINGS, FLAG.NONE, 0, payload);
}

/** HEADERS, and as many CONTINUATION frames as the fields need. */
export function headers(streamId: number, fields: Fields, flags: number = FLAG.NONE): Buffer {
  const block = headerBlock(fields);
  const frames: Buffer[] = [];
  for (let start = 0; start === 0 || start < block.length; start += MAX_PAYLOAD_BYTES) {
    const last = start + MAX_PAYLOAD_BYTES >= block.length ? FLAG.END_HEADERS : FLAG.NONE;
    const [type, more] = start === 0 ? [FRAME.HEADERS, flags] : [FRAME.CONTINUATION, FLAG.NONE];
    frames.push(frame(type, more | last, streamId, block.subarray(start, start + MAX_PAYLOAD_BYTES)));
  }
  return Buffer.concat(frames);
}

/** RST_STREAM. */
export function reset(streamId: number, errorCode: number): Buffer {
  return frame(FRAME.RST_STREAM, FLAG.NONE, streamId, uint32(errorCode));
}

export function goaway(lastStreamId: number, errorCode: number): Buffer {
  return frame(FRAME.GOAWAY, FLAG.NONE, 0, Buffer.concat([uint32(lastStreamId), uint32(errorCode)]));
}

/** A promise of `promisedId`, with the request it would answer. */
export function pushPromise(streamId: number, promisedId: number, fields: Fields): Buffer {
  const payload = Buffer.concat([uint32(promisedId), headerBlock(fields)]);
  return frame(FRAME.PUSH_PROMISE, FLAG.END_HEADERS, streamId, payload);
}

/** HPACK at its plainest: each field a literal without indexing, without Huffman coding (RFC 7541, section 6.2.2). */
export function headerBlock(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), hpackString(name), hpackString(value)]));
}

/** A message with gRPC's five bytes before it: the compressed flag and the length ("gRPC over HTTP2"). */
export function grpcMessage(message: Uint8Array, compressedFlag: 0 | 1 = 0): Buffer {
  return Buffer.concat([Buffer.of(compressedFlag), uint32(message.length), message]);
}

// Latin-1, so that a test may put any byte into a value.
function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackInteger(bytes.length), bytes]);
}

/** An integer with a prefix of seven bits (RFC 7541, section 5.1). */
function hpackInteger(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
