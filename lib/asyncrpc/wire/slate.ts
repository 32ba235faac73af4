/** Bytes, and a view that reads and writes four of them at once: to make one takes longer than to answer a line. */
export interface Slate {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function slateOf(bytes: Buffer): Slate {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}
