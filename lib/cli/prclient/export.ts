import type { PrExport } from '../../prserv/client.ts';
import type { PrRow } from '../../prserv/store.ts';
import { createProgress } from '../client/progress.ts';
import { openSink } from '../client/sink.ts';
import { sayExported } from '../client/transfer.ts';
import { formatDump } from './bitbake-dump.ts';
import type { PrCall } from './call.ts';
import { CSV_HEADER, formatCsvRow } from './csv.ts';
import { type Format, formatOf } from './formats.ts';
import { newestRows } from './newest.ts';

const WRITE_CHARACTERS = 64 * 1024;

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
  const { metainfo, datainfo } = await server.exportRows(filter, { history: true, colinfo: args.has('colinfo') });
  const rows = args.has('history') ? datainfo : newestRows(datainfo);
  const progress = await createProgress('rows', rows.length);
  const sink = await openSink(file);
  let held = '';
  try {
    for (const text of formatRows({ metainfo, datainfo: rows }, format, args.has('lockdown'), () => progress.add(1))) {
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
