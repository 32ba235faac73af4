import type { PrRow } from '../../prserv/store.ts';
import { COLUMNS, type Parsed } from './formats.ts';

/** Comma-separated values as RFC 4180 has them, with a header line. */

export const CSV_HEADER = `${COLUMNS.join(',')}\n`;

export function formatCsvRow(row: PrRow): string {
  return `${COLUMNS.map((column) => quote(row[column])).join(',')}\n`;
}

function quote(text: string): string {
  // White space at either end is quoted too: some programs drop it.
  return /[",\r\n]|^\s|\s$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Reads records piece by piece; a quoted field may hold line ends. The first record names the columns. */
export class CsvReader {
  private rest = '';
  /** How far `rest` was looked at, and whether a quote is open there: no character is looked at twice. */
  private scanned = 0;
  private quoted = false;
  private line = 1;
  private columns: string[] | null = null;

  /** The rows that `text` completes. */
  *push(text: string): Generator<Parsed> {
    this.rest += text;
    let start = 0;
    for (let end = this.recordEnd(); end >= 0; end = this.recordEnd()) {
      const record = this.rest.slice(start, end);
      start = end + 1;
      yield* this.read(record);
      this.line += record.split('\n').length;
    }
    this.rest = this.rest.slice(start);
    this.scanned -= start;
  }

  /** The next line end outside quotes; -1 when there is none yet. */
  private recordEnd(): number {
    for (; this.scanned < this.rest.length; this.scanned++) {
      const code = this.rest.charCodeAt(this.scanned);
      if (code === 0x22) this.quoted = !this.quoted;
      else if (code === 0x0a && !this.quoted) return this.scanned++;
    }
    return -1;
  }

  /** The last row, where the text does not end in a newline. */
  *end(): Generator<Parsed> {
    if (this.rest.trim() !== '') yield* this.read(this.rest);
    else if (this.columns === null) yield { line: 1, error: `the header is missing: ${CSV_HEADER.trim()}` };
  }

  private *read(record: string): Generator<Parsed> {
    const { line } = this;
    const fields = splitRecord(record.endsWith('\r') ? record.slice(0, -1) : record);
    if (!fields) yield { line, error: 'a quote that is not closed, or text beside a quoted field' };
    else if (this.columns === null) {
      this.columns = fields.map((field) => field.trim());
      const missing = COLUMNS.filter((column) => !this.columns!.includes(column));
      if (missing.length > 0) yield { line, error: `the header does not name ${missing.join(', ')}` };
    } else if (fields.length === 1 && fields[0] === '') return;
    else if (fields.length !== this.columns.length) {
      yield { line, error: `expected ${this.columns.length} fields, found ${fields.length}` };
    } else {
      const [version, pkgarch, checksum, value] = COLUMNS.map((column) => fields[this.columns!.indexOf(column)] ?? '');
      yield { line, row: { version: version!, pkgarch: pkgarch!, checksum: checksum!, value: value! } };
    }
  }
}

function splitRecord(record: string): string[] | null {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(record);
    if (!match) return null;
    fields.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === '') return fields;
  }
}
