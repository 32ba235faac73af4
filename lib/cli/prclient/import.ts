import { InvokeError, printable } from '../../errors.ts';
import { nameOf } from '../../files/lines.ts';
import { importFault } from '../../prserv/commands/import-rule.ts';
import { FORMATS, type Format, formatOf } from '../../prserv/files/formats.ts';
import { readRows } from '../../prserv/files/reading.ts';
import { UsageError } from '../args/usage-error.ts';
import { createProgress } from '../client/progress.ts';
import { type ImportTotals, SHOWN_REFUSALS, sayImported } from '../client/transfer.ts';
import { fileFor, refuseWith, startAsOwner } from '../jobs/background.ts';
import type { PrCall } from './call.ts';
import type { Importing, PlacedRow } from './importing.ts';
import { storeOneByOne } from './one-by-one.ts';
import { storeTogether } from './together.ts';

/** `import FILE…`: stores the rows of files. */
export async function importPrs({ args, out, address, client }: PrCall): Promise<number | undefined> {
  const files = args.list('FILE').map((file) => ({ file, format: formatNamed(args.text('format'), file) }));
  if (args.has('background')) {
    refuseWith('import', args, ['keep-going']);
    const file = fileFor('import', args.list('FILE'));
    return startAsOwner(address, out, 'import-prs', { file, format: files[0]!.format });
  }
  const keepGoing = args.has('keep-going');
  const totals: ImportTotals = { stored: 0, present: 0, refused: 0 };
  const refuse = (place: string, message: string) => {
    if (++totals.refused <= SHOWN_REFUSALS) out.note(`${place}: ${printable(message)}`);
  };
  const rows: PlacedRow[] = [];
  for (const { file, format } of files) for await (const row of soundRows(file, format, refuse)) rows.push(row);
  if (totals.refused > 0 && !keepGoing)
    throw nothingImported(
      totals.refused,
      files.map(({ file }) => nameOf(file)),
    );

  const server = await client();
  if (await server.isReadonly()) throw new InvokeError('the server is read-only: nothing was stored');
  // A request without rows tells whether the server can store rows together.
  const together = (await server.importRows([], true)) !== null;
  const progress = await createProgress('rows', rows.length);
  const importing: Importing = { keepGoing, totals, refuse, note: out.note, add: (count) => progress.add(count) };
  try {
    await (together ? storeTogether : storeOneByOne)(server, rows, importing);
  } finally {
    progress.stop();
  }
  return sayImported(out, totals);
}

function formatNamed(named: string | undefined, file: string): Format {
  const format = (named as Format | undefined) ?? formatOf(file);
  if (!format) throw new UsageError(`import: say what ${nameOf(file)} is with --format ${FORMATS.join('|')}`);
  return format;
}

/** The rows of a file that a server accepts; reports what is wrong with the others. */
async function* soundRows(file: string, format: Format, refuse: Importing['refuse']): AsyncGenerator<PlacedRow> {
  for await (const parsed of readRows(file, format)) {
    const place = `${nameOf(file)}, ${format === 'json' ? 'row' : 'line'} ${parsed.line}`;
    const fault = 'error' in parsed ? parsed.error : importFault(parsed.row);
    if (fault !== null) refuse(place, fault);
    else if ('row' in parsed) yield { row: parsed.row, place };
  }
}

function nothingImported(errors: number, files: readonly string[]): InvokeError {
  const have = files.length > 1 ? 'have' : 'has';
  return new InvokeError(
    `${files.join(', ')} ${have} ${errors} error${errors > 1 ? 's' : ''}: nothing was imported; --keep-going imports the rest`,
  );
}
