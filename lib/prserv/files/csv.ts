import { pipeline } from 'node:stream';
import type { CsvError, Options, Parser } from 'csv-parse';
import type { PrRow } from '../store.ts';
import { COLUMNS, type Parsed } from './formats.ts';

/** Comma-separated values as RFC 4180 has them, with a header line. Its packages are loaded only when needed. */

const ROWS_A_PIECE = 1000;

/** Loads the CSV writer. */
export async function loadCsvFormat(): Promise<(rows: Iterable<PrRow>) => Generator<string>> {
  const { stringify } = await import('csv-stringify/sync');
  const columns = [...COLUMNS];
  // White space at either end is quoted too, because some programs drop it.
  const options = { columns, quoted_empty: true, quoted_match: /^\s|\s$|[\r\n]/ };
  return function* format(rows) {
    yield stringify([], { columns, header: true });
    let piece: PrRow[] = [];
    for (const row of rows) {
      if (piece.push(row) < ROWS_A_PIECE) continue;
      yield stringify(piece, options);
      piece = [];
    }
    yield stringify(piece, options);
  };
}

/** Reads records piece by piece; a quoted field may hold line ends. The first record names the columns. */
export async function* readCsv(pieces: AsyncIterable<string>): AsyncGenerator<Parsed> {
  const { parse } = await import('csv-parse');
  const records = new Records();
  const options: Options = {
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    // How many fields there must be is said with the line; and one bad record is not the end of the file.
    relax_column_count: true,
    skip_records_with_error: true,
    // In the order of the file, whatever it comes to.
    on_skip: (error) => void parser.push(records.bad(error!)),
    on_record: (record: string[], { lines }) => {
      const parsed = records.good(record, lines);
      if (parsed) parser.push(parsed);
      return null;
    },
  };
  const parser: Parser = parse(options);
  pipeline(pieces, parser, () => {});
  yield* parser as AsyncIterable<Parsed>;
  yield* records.end();
}

/** Makes rows of records, each with the line where it began. */
class Records {
  private columns: string[] | null = null;
  /** The line on which the last record ended. */
  private line = 0;
  /** What the parser counts too many: a lone CR, and CR LF in a field twice. */
  private tooMany = 0;

  /** The row of a record that ended on line `end` by the parser's count; null where it has none. */
  good(fields: string[], end: number): Parsed | null {
    const breaks = fields.join('').match(/[\r\n]/g) ?? [];
    const newlines = breaks.filter((each) => each === '\n').length;
    const line = end - breaks.length - this.tooMany;
    this.tooMany += breaks.length - newlines;
    this.line = line + newlines;
    return this.read(fields, line);
  }

  bad(error: CsvError): Parsed {
    const line = this.line + 1;
    this.line = (error.lines as number) - this.tooMany;
    this.columns ??= [...COLUMNS];
    return { line, error: 'a quote that is not closed, or text beside a quoted field' };
  }

  *end(): Generator<Parsed> {
    if (this.columns === null) yield { line: 1, error: `the header is missing: ${COLUMNS.join(',')}` };
  }

  private read(fields: string[], line: number): Parsed | null {
    if (this.columns === null) {
      this.columns = fields.map((field) => field.trim());
      const missing = COLUMNS.filter((column) => !this.columns!.includes(column));
      return missing.length > 0 ? { line, error: `the header does not name ${missing.join(', ')}` } : null;
    }
    if (fields.length === 1 && fields[0] === '') return null;
    if (fields.length !== this.columns.length)
      return { line, error: `expected ${this.columns.length} fields, found ${fields.length}` };
    const [version, pkgarch, checksum, value] = COLUMNS.map((column) => fields[this.columns!.indexOf(column)] ?? '');
    return { line, row: { version: version!, pkgarch: pkgarch!, checksum: checksum!, value: value! } };
  }
}
