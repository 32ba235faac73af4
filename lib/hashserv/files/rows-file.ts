import fs from 'node:fs';
import { encodeJson, type Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { type NumberedLine, nameOf, readLines } from '../../files/lines.ts';
import { partOf } from '../../files/sink.ts';
import type { RowValues } from '../store.ts';
import { ROW_COLUMNS, type Table } from '../where.ts';

/** Files of exported hash rows: a JSON object a line (docs/protocol.md). */

const TABLES: readonly Table[] = ['outhashes', 'unihashes'];
/** A request is sent once it has this many rows, or characters. */
const REQUEST_ROWS = 500;
const REQUEST_CHARACTERS = 1024 * 1024;

/** From where on rows are exported: a table, and the id before the next row. */
export interface ExportPlace {
  readonly table: Table;
  readonly id: number;
}

export const FIRST_PLACE: ExportPlace = { table: TABLES[0]!, id: 0 };

/** A page of rows, as the text that stands in the file. */
export interface ExportedPage {
  readonly text: string;
  readonly rows: number;
}

/** Rows of a table, and where the next page begins. */
interface PageOfRows {
  readonly rows: readonly RowValues[];
  readonly next: number | null;
}

/**
 * All rows from a place on, page by page.
 * @param exportRows the rows of a table after an id
 */
export async function* exportedPages(
  exportRows: (table: Table, after: number) => Promise<PageOfRows>,
  start: ExportPlace,
): AsyncGenerator<ExportedPage> {
  for (const table of TABLES.slice(TABLES.indexOf(start.table))) {
    for (let after: number | null = table === start.table ? start.id : 0; after !== null; ) {
      const page: PageOfRows = await exportRows(table, after);
      after = page.next;
      // The last row of a page has the place to resume from.
      const lines = page.rows.map((row, i) => rowLine(table, row, i === page.rows.length - 1 ? after : null));
      yield { text: lines.join(''), rows: lines.length };
    }
  }
}

function rowLine(table: Table, row: RowValues, next: number | null): string {
  const fields: { [key: string]: Json } = { table };
  ROW_COLUMNS[table].forEach((column, i) => {
    if (row[i] !== null) fields[column] = row[i]!;
  });
  if (next !== null) fields.next = next;
  return `${encodeJson(fields)}\n`;
}

/**
 * Where an interrupted export stopped: in its part, or in a file that was written directly. Everything after the last
 * full page is cut off; the rest is the part to continue.
 */
export async function lastPlace(file: string): Promise<ExportPlace> {
  let place = FIRST_PLACE;
  if (file === '-') throw new InvokeError('--resume needs a FILE to go on with');
  const part = partOf(file);
  const from = [part, file].find((each) => fs.existsSync(each));
  if (from === undefined) return place;
  let bytes = 0;
  let keep = 0;
  const size = fs.statSync(from).size;
  for await (const lines of readLines(from)) {
    for (const { text, number } of lines) {
      bytes += Buffer.byteLength(text) + 1;
      // A last line without its newline is written again.
      if (bytes > size || !text.includes('"next": ') || !text.endsWith('}')) continue;
      const { table, fields } = parseRow({ text, number }, from);
      if (typeof fields.next !== 'number') continue;
      place = { table, id: fields.next };
      keep = bytes;
    }
  }
  if (from !== part) fs.copyFileSync(from, part);
  fs.truncateSync(part, keep);
  return place;
}

/** A row as it stands in a file. */
export interface Row {
  readonly table: Table;
  readonly fields: { readonly [key: string]: Json };
}

function parseRow({ text, number }: NumberedLine, file: string): Row {
  const row = parseRowLine(text);
  if (typeof row === 'string')
    throw new InvokeError(`${nameOf(file)}, line ${number}: ${row}; nothing from this line on was imported`);
  return row;
}

/** The row in a line, or what is wrong with it. */
export function parseRowLine(text: string): Row | string {
  let fields: Json;
  try {
    fields = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) return 'not a JSON object';
  const table = TABLES.find((each) => each === fields.table);
  return table ? { table, fields } : `"table" must be ${TABLES.join(' or ')}`;
}

/** The values of a row in the order of ROW_COLUMNS. */
export function rowValues({ table, fields }: Row): RowValues {
  return ROW_COLUMNS[table].map((column) => textOf(fields[column]));
}

/** Rows of one table, with the numbers of their lines. */
export interface Batch {
  readonly table: Table;
  readonly rows: RowValues[];
  readonly numbers: number[];
}

/** The rows behind so many lines of a file, as many at a time as are sent together. */
export async function* batches(file: string, skip: number): AsyncGenerator<Batch> {
  let batch: Batch | null = null;
  let characters = 0;
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      if (line.number <= skip || line.text === '') continue;
      const row = parseRow(line, file);
      const { table } = row;
      if (batch && (batch.table !== table || batch.rows.length >= REQUEST_ROWS || characters >= REQUEST_CHARACTERS)) {
        yield batch;
        batch = null;
      }
      if (!batch) {
        batch = { table, rows: [], numbers: [] };
        characters = 0;
      }
      batch.rows.push(rowValues(row));
      batch.numbers.push(line.number);
      characters += line.text.length;
    }
  }
  if (batch) yield batch;
}

function textOf(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : encodeJson(value);
}
