import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import { InvokeError, reasonOf } from '../errors.ts';

/** A place between two lines of a file. */
export interface LinePlace {
  /** In bytes. */
  readonly offset: number;
  /** Lines before it. */
  readonly lines: number;
}

/** A line, and where it is. */
export interface PlacedLine {
  /** Null where it is not UTF-8. */
  readonly text: string | null;
  /** Counted from 1. */
  readonly number: number;
  /** In bytes, from the start of the file. */
  readonly end: number;
}

export const START: LinePlace = { offset: 0, lines: 0 };

const CHUNK_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/** Lines of a file from any place on, read a piece at a time. */
export interface LineCursor {
  /** Where the line after those that were given begins. */
  readonly place: LinePlace;
  /** The lines that the next piece of the file ends, maybe none; null at the end. @throws InvokeError that names the file */
  next(): Promise<readonly PlacedLine[] | null>;
  close(): Promise<void>;
}

/** @throws InvokeError that names the file */
export async function openLines(file: string, from: LinePlace = START): Promise<LineCursor> {
  const fail = (error: unknown): never => {
    throw new InvokeError(`cannot read ${file}: ${reasonOf(error)}`, error);
  };
  const handle = await fs.promises.open(file, 'r').catch(fail);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let { offset, lines } = from;
  /** The beginning of a line whose end is yet to be read, in pieces. */
  let begun: Buffer[] = [];
  let begunBytes = 0;

  function lineOf(last: Buffer): PlacedLine {
    const whole = begun.length > 0 ? Buffer.concat([...begun, last]) : last;
    offset += whole.length + 1;
    begun = [];
    begunBytes = 0;
    return { text: isUtf8(whole) ? whole.toString() : null, number: ++lines, end: offset };
  }

  return {
    get place() {
      return { offset, lines };
    },
    async next() {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset + begunBytes).catch(fail);
      // A last line without a newline counts too.
      if (bytesRead === 0) return begunBytes > 0 ? [lineOf(Buffer.alloc(0))] : null;
      const piece = chunk.subarray(0, bytesRead);
      const found: PlacedLine[] = [];
      let start = 0;
      for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, start)) {
        found.push(lineOf(piece.subarray(start, at)));
        start = at + 1;
      }
      if (start < bytesRead) {
        begun.push(Buffer.from(piece.subarray(start)));
        begunBytes += bytesRead - start;
      }
      if (begunBytes > MAX_LINE_BYTES) throw new InvokeError(`${file}, line ${lines + 1}: longer than 64 MiB`);
      return found;
    },
    close: () => handle.close(),
  };
}
