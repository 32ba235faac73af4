import fs from 'node:fs';
import { LineSplitter } from '../asyncrpc/wire/lines.ts';
import { InvokeError } from '../errors.ts';

const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** A line of a file, and its number, counted from 1. */
export interface NumberedLine {
  readonly text: string;
  readonly number: number;
}

/** The lines of a file, or of standard input for `-`, in groups as they come. Memory stays bounded. */
export async function* readLines(file: string): AsyncGenerator<NumberedLine[]> {
  const stream = file === '-' ? process.stdin : fs.createReadStream(file, { highWaterMark: 256 * 1024 });
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  let number = 0;
  const numbered = (texts: readonly string[]) => texts.map((text) => ({ text, number: ++number }));
  for await (const chunk of stream) {
    const lines = splitter.push(chunk as Buffer);
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

/** The number of lines of a file, for a progress bar; null where it cannot be known in advance. */
export async function countLines(file: string): Promise<number | null> {
  if (file === '-' || !fs.statSync(file).isFile()) return null;
  let count = 0;
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  }
  return count;
}
