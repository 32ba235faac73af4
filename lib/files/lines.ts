import fs from 'node:fs';
import { LineSplitter } from '../asyncrpc/wire/lines.ts';
import { InvokeError, reasonOf } from '../errors.ts';

const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
const PIECE_BYTES = 256 * 1024;

/** A line of a file, and its number, counted from 1. */
export interface NumberedLine {
  readonly text: string;
  readonly number: number;
}

/**
 * What is in a file, or comes from standard input for `-`, in pieces. The file is opened when the first is asked for: the fault
 * of a stream that nobody reads yet would end the program.
 * @throws InvokeError that names the file
 */
export async function* readPieces(file: string): AsyncGenerator<Buffer> {
  const stream = file === '-' ? process.stdin : fs.createReadStream(file, { highWaterMark: PIECE_BYTES });
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw cannotRead(file, error);
  }
}

/**
 * The lines of a file, or of standard input for `-`, in groups as they come. Memory stays bounded.
 * @throws InvokeError that names the file
 */
export async function* readLines(file: string): AsyncGenerator<NumberedLine[]> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  let number = 0;
  const numbered = (texts: readonly string[]) => texts.map((text) => ({ text, number: ++number }));
  for await (const piece of readPieces(file)) {
    const lines = splitter.push(piece);
    if (lines.length > 0) yield numbered(lines);
    if (splitter.failure) throw new InvokeError(`${nameOf(file)}, line ${number + 1}: ${splitter.failure.message}`);
  }
  // A last line without a newline counts too.
  if (splitter.partialBytes > 0) yield numbered(splitter.push(Buffer.from('\n')));
}

/** A file's name for messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/**
 * The number of lines of a file, for a progress bar; null where it cannot be known in advance.
 * @throws InvokeError that names the file
 */
export async function countLines(file: string): Promise<number | null> {
  if (file === '-' || !statOf(file).isFile()) return null;
  let count = 0;
  for await (const piece of readPieces(file)) {
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) count++;
  }
  return count;
}

function statOf(file: string): fs.Stats {
  try {
    return fs.statSync(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

function cannotRead(file: string, error: unknown): InvokeError {
  return new InvokeError(`cannot read ${nameOf(file)}: ${reasonOf(error)}`, error);
}
