/** `csi.v1.ProbeResponse` as it is on the wire, by what it says. */
export const PROBE_RESPONSE = {
  ready: Buffer.of(0x0a, 0x02, 0x08, 0x01),
  absent: Buffer.alloc(0),
  /** As most libraries write false: by leaving it out of the BoolValue. */
  notReadyEmpty: Buffer.of(0x0a, 0x00),
  notReadyWritten: Buffer.of(0x0a, 0x02, 0x08, 0x00),
} as const;

/** A ready ProbeResponse of exactly `size` bytes (9 or more), padded by a field that nobody knows. */
export function paddedReady(size: number): Buffer {
  // Field 15, length-delimited; the length is a varint as long as it takes.
  for (let varintBytes = 1; ; varintBytes += 1) {
    const padding = size - PROBE_RESPONSE.ready.length - 1 - varintBytes;
    const length = varint(padding);
    if (length.length === varintBytes) {
      return Buffer.concat([PROBE_RESPONSE.ready, Buffer.of(0x7a), length, Buffer.alloc(padding)]);
    }
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
