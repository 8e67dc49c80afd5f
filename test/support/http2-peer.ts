import type { Socket } from "node:net";
import { FLAG, FRAME, MAX_PAYLOAD_BYTES, SETTING, frame } from "./http2-frames";

/** The server's end of an HTTP/2 connection that keeps the protocol as far as its user lets it. */
export interface Http2Peer {
  readonly socket: Socket;
  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Sends PING, and returns once the client has answered it, and so has read everything that was sent before. */
  ping(): Promise<void>;
  /**
   * Sends DATA as the client's flow-control windows allow it (RFC 9113, section 5.2), in frames of at most 16 KiB;
   * until all is sent.
   */
  writeData(streamId: number, bytes: Uint8Array): Promise<void>;
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** A window at the start of a connection, in bytes (RFC 9113, section 6.9.2). */
const INITIAL_WINDOW_BYTES = 65_535;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/**
 * Reads what a client sends over `socket`: acknowledges its SETTINGS and PINGs, heeds its windows, and tells of each
 * request that is complete. Header blocks are not decoded. Our own SETTINGS are left to the user.
 */
export function http2Peer(socket: Socket, onRequest: (streamId: number) => void): Http2Peer {
  const write = (bytes: Uint8Array): void => {
    if (socket.writable) socket.write(bytes);
  };
  const sender = windowedSender(write);
  const pings: (() => void)[] = [];
  readFrames(socket, ({ type, flags, streamId, payload }) => {
    if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) {
      sender.applySettings(payload);
      write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    }
    if (type === FRAME.PING) {
      if ((flags & FLAG.ACK) === 0) write(frame(FRAME.PING, FLAG.ACK, 0, payload));
      else pings.shift()?.();
    }
    if (type === FRAME.WINDOW_UPDATE) sender.widen(streamId, payload.readUInt32BE());
    const mayEnd = type === FRAME.HEADERS || type === FRAME.DATA;
    if (mayEnd && (flags & FLAG.END_STREAM) !== 0) onRequest(streamId);
  });
  const ping = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    pings.push(resolve);
    write(frame(FRAME.PING, FLAG.NONE, 0, Buffer.alloc(8)));
    return promise;
  };
  return { socket, write, ping, writeData: sender.send };
}

function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let buffer = Buffer.alloc(0);
  let greeted = false;
  socket.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    if (!greeted) {
      if (buffer.length < PREFACE.length) return;
      greeted = true;
      buffer = buffer.subarray(PREFACE.length);
    }
    while (buffer.length >= 9 && buffer.length >= 9 + buffer.readUIntBE(0, 3)) {
      const end = 9 + buffer.readUIntBE(0, 3);
      const [type, flags, streamId] = [buffer.readUInt8(3), buffer.readUInt8(4), buffer.readUInt32BE(5)];
      onFrame({ type, flags, streamId, payload: buffer.subarray(9, end) });
      buffer = buffer.subarray(end);
    }
  });
}

/** Sends DATA in order, as far as the windows of the connection (stream 0) and of the stream are open. */
function windowedSender(write: (bytes: Uint8Array) => void) {
  let initial = INITIAL_WINDOW_BYTES;
  const windows = new Map([[0, INITIAL_WINDOW_BYTES]]);
  const queue: { readonly streamId: number; bytes: Uint8Array; readonly sent: () => void }[] = [];
  const windowOf = (streamId: number): number => windows.get(streamId) ?? initial;

  const pump = (): void => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const size = Math.min(MAX_PAYLOAD_BYTES, windowOf(0), windowOf(next.streamId), next.bytes.length);
      if (size <= 0) return;
      for (const id of [0, next.streamId]) windows.set(id, windowOf(id) - size);
      write(frame(FRAME.DATA, FLAG.NONE, next.streamId, next.bytes.subarray(0, size)));
      next.bytes = next.bytes.subarray(size);
      if (next.bytes.length > 0) continue;
      queue.shift();
      next.sent();
    }
  };
  return {
    send: (streamId: number, bytes: Uint8Array): Promise<void> => {
      if (bytes.length === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push({ streamId, bytes, sent: resolve });
      pump();
      return promise;
    },
    widen: (streamId: number, by: number): void => {
      windows.set(streamId, windowOf(streamId) + by);
      pump();
    },
    applySettings: (payload: Buffer): void => {
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        if (payload.readUInt16BE(at) === SETTING.INITIAL_WINDOW_SIZE) initial = payload.readUInt32BE(at + 2);
      }
    },
  };
}
