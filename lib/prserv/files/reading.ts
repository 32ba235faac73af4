import { StringDecoder } from 'node:string_decoder';
import { readLines, readPieces } from '../../files/lines.ts';
import { parseDumpLine } from './bitbake-dump.ts';
import { readCsv } from './csv.ts';
import { type Format, type Parsed, rowOf } from './formats.ts';
import { readJsonRows } from './json-rows.ts';

/** The rows of a file, and its faults, in order. `-` is standard input. Memory stays bounded. JSON rows have no lines: their number is used instead. */
export function readRows(file: string, format: Format): AsyncGenerator<Parsed> {
  switch (format) {
    case 'bitbake':
      return readByLine(file, parseDumpLine);
    case 'jsonl':
      return readByLine(file, parseJsonLine);
    case 'csv':
      return readCsv(textOf(file));
    case 'json':
      return readJsonRows(textOf(file));
  }
}

async function* readByLine(file: string, parse: (text: string, line: number) => Parsed | null): AsyncGenerator<Parsed> {
  for await (const lines of readLines(file)) {
    for (const { text, number } of lines) {
      const parsed = parse(text, number);
      if (parsed) yield parsed;
    }
  }
}

export function parseJsonLine(text: string, line: number): Parsed | null {
  if (text === '') return null;
  try {
    return rowOf(JSON.parse(text), line);
  } catch {
    return { line, error: 'not JSON' };
  }
}

async function* textOf(file: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const piece of readPieces(file)) yield decoder.write(piece);
  yield decoder.end();
}
