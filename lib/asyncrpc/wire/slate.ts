/** Bytes, and a view that reads and writes four of them at once: to make one takes longer than to answer a line. */
export interface Slate {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function slateOf(bytes: Buffer): Slate {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Whether the bytes from `at` on, of which those up to `to` count, begin with these. Four at once: one by one takes as long as to read a hash. */
export function beginsWith(
  { bytes, view }: Slate,
  at: number,
  to: number,
  { bytes: start, view: fours }: Slate,
): boolean {
  const { length } = start;
  if (at + length > to) return false;
  let i = 0;
  for (; i + 4 <= length; i += 4) if (view.getInt32(at + i, true) !== fours.getInt32(i, true)) return false;
  for (; i < length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}
