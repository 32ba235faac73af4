import { openSink } from '../../files/sink.ts';
import type { PrExport } from '../../prserv/client.ts';
import { formatDump } from '../../prserv/files/bitbake-dump.ts';
import { loadCsvFormat } from '../../prserv/files/csv.ts';
import { type Format, formatOf } from '../../prserv/files/formats.ts';
import { newestRows } from '../../prserv/files/newest.ts';
import type { PrRow } from '../../prserv/store.ts';
import { UsageError } from '../args/usage-error.ts';
import { createProgress } from '../client/progress.ts';
import { sayExported } from '../client/transfer.ts';
import { fileFor, refuseWith, startAsOwner } from '../jobs/background.ts';
import type { PrCall } from './call.ts';

const WRITE_CHARACTERS = 64 * 1024;

/** `export [FILE]`: the rows that match, in one of the formats. */
export async function exportPrs({ args, out, address, client }: PrCall): Promise<undefined> {
  const file = args.text('FILE') ?? '-';
  const format = (args.text('format') as Format | undefined) ?? formatOf(file) ?? 'bitbake';
  if (args.has('background')) {
    refuseWith('export', args, ['version', 'pkgarch', 'checksum', 'colinfo', 'lockdown']);
    if (!args.has('history') || format !== 'jsonl')
      throw new UsageError(
        'export --background: the job writes every row as a JSON line: say --history, and FILE.jsonl',
      );
    return startAsOwner(address, out, 'export-prs', { file: fileFor('export', [args.text('FILE')]) });
  }
  const filter = {
    version: args.text('version') ?? null,
    pkgarch: args.text('pkgarch') ?? null,
    checksum: args.text('checksum') ?? null,
  };
  const server = await client();
  const { metainfo, datainfo } = await server.exportRows(filter, { history: true, colinfo: args.has('colinfo') });
  const rows = args.has('history') ? datainfo : newestRows(datainfo);
  const progress = await createProgress('rows', rows.length);
  const write = await writerOf(format);
  const sink = await openSink(file);
  let held = '';
  try {
    for (const text of write({ metainfo, datainfo: rows }, args.has('lockdown'), () => progress.add(1))) {
      held += text;
      if (held.length < WRITE_CHARACTERS) continue;
      await sink.write(held);
      held = '';
    }
    await sink.write(held);
    await sink.commit();
  } finally {
    progress.stop();
    await sink.abandon();
  }
  return sayExported(out, file, rows.length);
}

/** The rows in a format, piece by piece. */
type Write = (exported: PrExport, lockdown: boolean, onRow: () => void) => Generator<string>;

async function writerOf(format: Format): Promise<Write> {
  if (format === 'bitbake')
    return ({ metainfo, datainfo }, lockdown, onRow) => formatDump(counted(datainfo, onRow), { lockdown, metainfo });
  if (format === 'jsonl') return writeJsonLines;
  if (format === 'json') return writeJson;
  const formatCsv = await loadCsvFormat();
  return ({ datainfo }, _lockdown, onRow) => formatCsv(counted(datainfo, onRow));
}

function* counted(rows: readonly PrRow[], onRow: () => void): Generator<PrRow> {
  for (const row of rows) {
    onRow();
    yield row;
  }
}

function* writeJsonLines({ datainfo }: PrExport, _lockdown: boolean, onRow: () => void): Generator<string> {
  for (const row of counted(datainfo, onRow)) yield `${JSON.stringify(ordered(row))}\n`;
}

function* writeJson({ metainfo, datainfo }: PrExport, _lockdown: boolean, onRow: () => void): Generator<string> {
  yield `{"metainfo": ${JSON.stringify(metainfo)}, "datainfo": [`;
  let separator = '\n';
  for (const row of counted(datainfo, onRow)) {
    yield `${separator}${JSON.stringify(ordered(row))}`;
    separator = ',\n';
  }
  yield datainfo.length > 0 ? '\n]}\n' : ']}\n';
}

const ordered = ({ version, pkgarch, checksum, value }: PrRow): PrRow => ({ version, pkgarch, checksum, value });
