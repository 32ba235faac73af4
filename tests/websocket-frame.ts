/** The opcode of text. */
export const TEXT = 1;

/** A WebSocket frame of a client (RFC 6455 section 5.2), masked with zeros; `last` unless more fragments of its message follow. */
export function frame(opcode: number, payload: string | Buffer, last = true): Buffer {
  const bytes = Buffer.from(payload as string);
  const head = Buffer.alloc(bytes.length < 126 ? 6 : bytes.length < 65_536 ? 8 : 14);
  head[0] = (last ? 0x80 : 0) | opcode;
  if (head.length === 6) head[1] = 0x80 | bytes.length;
  else if (head.length === 8) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(bytes.length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  return Buffer.concat([head, bytes]);
}
