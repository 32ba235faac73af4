import { InvokeError } from '../../errors.ts';
import type { PrClient, PrExport } from '../../prserv/client.ts';
import type { PrRow } from '../../prserv/store.ts';
import { nameOf } from '../client/lines.ts';
import { createProgress } from '../client/progress.ts';
import { openSink } from '../client/sink.ts';
import { type ImportTotals, SHOWN_REFUSALS, sayExported, sayImported } from '../client/transfer.ts';
import { UsageError } from '../main.ts';
import { formatDump } from './bitbake-dump.ts';
import type { PrCall } from './call.ts';
import { CSV_HEADER, formatCsvRow } from './csv.ts';
import { FORMATS, type Format, formatOf } from './formats.ts';
import { readRows } from './reading.ts';

const WRITE_CHARACTERS = 64 * 1024;
/** Rows that are tested and then stored together: as many as a server takes into one commit. */
const BATCH_ROWS = 256;

/** `export [FILE]`: the rows that match, in a format people have. */
export async function exportPrs({ args, out, client }: PrCall): Promise<undefined> {
  const file = args.text('FILE') ?? '-';
  const format = (args.text('format') as Format | undefined) ?? formatOf(file) ?? 'bitbake';
  const filter = {
    version: args.text('version') ?? null,
    pkgarch: args.text('pkgarch') ?? null,
    checksum: args.text('checksum') ?? null,
  };
  const server = await client();
  const reply = await server.exportRows(filter, { history: args.has('history'), colinfo: args.has('colinfo') });
  const progress = await createProgress('rows', reply.datainfo.length);
  const sink = await openSink(file);
  let held = '';
  try {
    for (const text of formatRows(reply, format, args.has('lockdown'), () => progress.add(1))) {
      held += text;
      if (held.length < WRITE_CHARACTERS) continue;
      await sink.write(held);
      held = '';
    }
    await sink.write(held);
  } finally {
    progress.stop();
    await sink.close();
  }
  return sayExported(out, file, reply.datainfo.length);
}

function* formatRows(
  { metainfo, datainfo }: PrExport,
  format: Format,
  lockdown: boolean,
  onRow: () => void,
): Generator<string> {
  function* counted(): Generator<PrRow> {
    for (const row of datainfo) {
      onRow();
      yield row;
    }
  }
  if (format === 'bitbake') yield* formatDump(counted(), { lockdown, metainfo });
  else if (format === 'jsonl') for (const row of counted()) yield `${JSON.stringify(ordered(row))}\n`;
  else if (format === 'csv') {
    yield CSV_HEADER;
    for (const row of counted()) yield formatCsvRow(row);
  } else {
    yield `{"metainfo": ${JSON.stringify(metainfo)}, "datainfo": [`;
    let separator = '\n';
    for (const row of counted()) {
      yield `${separator}${JSON.stringify(ordered(row))}`;
      separator = ',\n';
    }
    yield datainfo.length > 0 ? '\n]}\n' : ']}\n';
  }
}

const ordered = ({ version, pkgarch, checksum, value }: PrRow): PrRow => ({ version, pkgarch, checksum, value });

interface Numbered {
  readonly line: number;
  readonly row: PrRow;
}

/** `import FILE…`: stores the rows of files. */
export async function importPrs({ args, out, client }: PrCall): Promise<number> {
  const totals: ImportTotals = { stored: 0, present: 0, refused: 0 };
  const server = await client();
  if (await server.isReadonly()) throw new InvokeError('the server is read-only: nothing was stored');
  for (const file of args.list('FILE')) {
    const format = (args.text('format') as Format | undefined) ?? formatOf(file);
    if (!format) throw new UsageError(`import: say what ${nameOf(file)} is with --format ${FORMATS.join('|')}`);
    const refuse = (line: number, message: string) => {
      if (++totals.refused <= SHOWN_REFUSALS) out.note(`${nameOf(file)}, ${placeOf(format, line)}: ${message}`);
    };
    const rows = await checkedRows(file, format, args.has('keep-going'), refuse);
    const progress = await createProgress('rows', rows.length);
    try {
      for (let at = 0; at < rows.length; at += BATCH_ROWS) {
        const batch = rows.slice(at, at + BATCH_ROWS);
        await importBatch(server, batch, totals, refuse);
        progress.add(batch.length);
      }
    } finally {
      progress.stop();
    }
  }
  return sayImported(out, totals);
}

function placeOf(format: Format, line: number): string {
  return format === 'json' ? `row ${line}` : `line ${line}`;
}

/** Reads a file to its end before anything is sent: one syntax error, and nothing of it is imported. */
async function checkedRows(
  file: string,
  format: Format,
  keepGoing: boolean,
  refuse: (line: number, message: string) => void,
): Promise<Numbered[]> {
  const rows: Numbered[] = [];
  let errors = 0;
  for await (const parsed of readRows(file, format)) {
    if ('row' in parsed) rows.push(parsed);
    else {
      errors++;
      refuse(parsed.line, parsed.error);
    }
  }
  if (errors > 0 && !keepGoing) {
    throw new InvokeError(
      `${nameOf(file)} has ${errors} error${errors > 1 ? 's' : ''}: nothing of it was imported; --keep-going imports the rest`,
    );
  }
  return rows;
}

/** Finds out which rows are there, then stores the others; requests of a kind go together, for one commit. */
async function importBatch(
  server: PrClient,
  batch: readonly Numbered[],
  totals: ImportTotals,
  refuse: (line: number, message: string) => void,
): Promise<void> {
  const known = await Promise.all(batch.map(({ row }) => isStored(server, row)));
  const seen = new Set<string>();
  const fresh: Numbered[] = [];
  for (const [i, numbered] of batch.entries()) {
    const key = JSON.stringify(Object.values(ordered(numbered.row)));
    if (known[i] === true || seen.has(key)) totals.present++;
    else fresh.push(numbered);
    seen.add(key);
  }
  const outcomes = await Promise.allSettled(fresh.map(({ row }) => server.importOne(row)));
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') totals.stored++;
    else if (outcome.reason instanceof InvokeError) refuse(fresh[i]!.line, outcome.reason.message);
    else throw outcome.reason;
  }
}

/** Whether the row is there: told by the smallest and the largest value of the checksum, seldom by all of them. */
async function isStored(server: PrClient, row: PrRow): Promise<boolean> {
  try {
    const [smallest, largest] = await Promise.all([server.testPr(row, true), server.testPr(row, false)]);
    if (smallest === null) return false;
    if (smallest === row.value || largest === row.value) return true;
    if (smallest === largest) return false;
    const { datainfo } = await server.exportRows(row, { history: true });
    return datainfo.some(({ value }) => value === row.value);
  } catch (error) {
    // A key the server refuses is not there; storing it says what is wrong.
    if (error instanceof InvokeError) return false;
    throw error;
  }
}
