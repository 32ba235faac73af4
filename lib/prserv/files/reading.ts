import fs from 'node:fs';
import type { Readable } from 'node:stream';
import { readLines } from '../../files/lines.ts';
import { parseDumpLine } from './bitbake-dump.ts';
import { readCsv } from './csv.ts';
import { type Format, type Parsed, rowOf } from './formats.ts';

/** The rows of a file, and its faults, in order. `-` is standard input. Only JSON is read as a whole. */
export function readRows(file: string, format: Format): AsyncGenerator<Parsed> {
  switch (format) {
    case 'bitbake':
      return readByLine(file, parseDumpLine);
    case 'jsonl':
      return readByLine(file, parseJsonLine);
    case 'csv':
      return readCsv(textOf(file));
    case 'json':
      return readJson(file);
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

async function* readJson(file: string): AsyncGenerator<Parsed> {
  let text = '';
  for await (const piece of textOf(file)) text += piece;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    yield { line: 1, error: `not JSON: ${(error as Error).message}` };
    return;
  }
  const rows = Array.isArray(value) ? value : (value as { datainfo?: unknown } | null)?.datainfo;
  if (!Array.isArray(rows)) {
    yield { line: 1, error: 'expected a list of rows, or an object whose "datainfo" is one' };
    return;
  }
  // JSON rows have no lines: their number is used instead.
  for (const [i, row] of rows.entries()) yield rowOf(row, i + 1);
}

function textOf(file: string): Readable {
  const stream = file === '-' ? process.stdin : fs.createReadStream(file);
  return stream.setEncoding('utf8');
}
