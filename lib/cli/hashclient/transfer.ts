import fs from 'node:fs';
import { encodeJson, type Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError, printable } from '../../errors.ts';
import type { HashClient } from '../../hashserv/client-types.ts';
import type { RowValues } from '../../hashserv/store.ts';
import { ROW_COLUMNS, type Table } from '../../hashserv/where.ts';
import { countLines, type NumberedLine, nameOf, readLines } from '../client/lines.ts';
import { createProgress } from '../client/progress.ts';
import { openSink, partOf } from '../client/sink.ts';
import { type ImportTotals, SHOWN_REFUSALS, sayExported, sayImported } from '../client/transfer.ts';
import type { HashCall } from './call.ts';

const TABLES: readonly Table[] = ['outhashes', 'unihashes'];
/** A request is sent once it has this many rows, or characters. */
const REQUEST_ROWS = 500;
const REQUEST_CHARACTERS = 1024 * 1024;

/** `export [FILE] [--resume]`: every hash row as a JSON object a line. */
export async function exportHashes({ args, out, client }: HashCall): Promise<undefined> {
  const file = args.text('FILE') ?? '-';
  const server = await client();
  const resume = args.has('resume');
  const start = resume ? await lastPlace(file) : { table: TABLES[0]!, id: 0 };
  const usage = await server.databaseUsage();
  const total = (usage.outhashes_v2?.rows ?? 0) + (usage.unihashes_v3?.rows ?? 0);
  const sink = await openSink(file, resume);
  const progress = await createProgress('rows', total);
  let count = 0;
  try {
    for (const table of TABLES.slice(TABLES.indexOf(start.table))) {
      for (let after: number | null = table === start.table ? start.id : 0; after !== null; ) {
        const page: Awaited<ReturnType<HashClient['exportRows']>> = await server.exportRows(table, after);
        after = page.next;
        // The last row of a page has the place to resume from.
        const lines = page.rows.map((row, i) => rowLine(table, row, i === page.rows.length - 1 ? after : null));
        if (lines.length > 0) await sink.write(lines.join(''));
        count += lines.length;
        progress.add(lines.length);
      }
    }
    await sink.commit();
  } catch (error) {
    progress.stop();
    if (file !== '-' && (count > 0 || resume))
      out.note(`what was exported is in ${partOf(file)}: go on with "export --resume ${file}"`);
    throw error;
  } finally {
    progress.stop();
    await sink.abandon(count > 0 || resume);
  }
  return sayExported(out, file, count);
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
async function lastPlace(file: string): Promise<{ table: Table; id: number }> {
  let place = { table: TABLES[0]!, id: 0 };
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

interface Row {
  readonly table: Table;
  readonly fields: { readonly [key: string]: Json };
}

function parseRow({ text, number }: NumberedLine, file: string): Row {
  const bad = (why: string) =>
    new InvokeError(`${nameOf(file)}, line ${number}: ${why}; nothing from this line on was imported`);
  let fields: Json;
  try {
    fields = JSON.parse(text);
  } catch {
    throw bad('not JSON');
  }
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) throw bad('not a JSON object');
  const table = TABLES.find((each) => each === fields.table);
  if (!table) throw bad(`"table" must be ${TABLES.join(' or ')}`);
  return { table, fields };
}

interface Batch {
  readonly table: Table;
  readonly rows: RowValues[];
  readonly numbers: number[];
}

/** `import FILE…`: stores rows of an export; those that are there stay as they are, so it can be repeated. */
export async function importHashes({ args, out, client }: HashCall): Promise<number> {
  const files = args.list('FILE');
  const server = await client();
  const totals: ImportTotals = { stored: 0, present: 0, refused: 0 };
  for (const file of files) {
    const progress = await createProgress('rows', await countLines(file));
    let done = args.number('from-line', 1) - 1;
    progress.add(done);
    try {
      for await (const batch of batches(file, done)) {
        const reply = await server.importRows(batch.table, batch.rows);
        totals.stored += reply.stored;
        totals.present += reply.present;
        for (const { row, message } of reply.refused) {
          if (++totals.refused <= SHOWN_REFUSALS)
            out.note(`${nameOf(file)}, line ${batch.numbers[row]}: refused: ${printable(message)}`);
        }
        done = batch.numbers.at(-1)!;
        progress.add(batch.rows.length);
      }
    } catch (error) {
      progress.stop();
      out.note(`${nameOf(file)}: lines up to ${done} are imported; go on with --from-line ${done + 1}`);
      throw error;
    } finally {
      progress.stop();
    }
  }
  return sayImported(out, totals);
}

async function* batches(file: string, skip: number): AsyncGenerator<Batch> {
  let batch: Batch | null = null;
  let characters = 0;
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      if (line.number <= skip || line.text === '') continue;
      const { table, fields } = parseRow(line, file);
      if (batch && (batch.table !== table || batch.rows.length >= REQUEST_ROWS || characters >= REQUEST_CHARACTERS)) {
        yield batch;
        batch = null;
      }
      if (!batch) {
        batch = { table, rows: [], numbers: [] };
        characters = 0;
      }
      batch.rows.push(ROW_COLUMNS[table].map((column) => textOf(fields[column])));
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
