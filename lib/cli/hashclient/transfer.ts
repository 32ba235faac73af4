import { printable } from '../../errors.ts';
import { countLines, nameOf } from '../../files/lines.ts';
import { openSink, partOf } from '../../files/sink.ts';
import { batches, exportedPages, FIRST_PLACE, lastPlace } from '../../hashserv/files/rows-file.ts';
import { createProgress } from '../client/progress.ts';
import { type ImportTotals, SHOWN_REFUSALS, sayExported, sayImported } from '../client/transfer.ts';
import { fileFor, refuseWith, startAsOwner } from '../jobs/background.ts';
import type { HashCall } from './call.ts';

/** `export [FILE] [--resume]`: every hash row as a JSON object a line. */
export async function exportHashes({ args, out, address, client }: HashCall): Promise<undefined> {
  if (args.has('background')) {
    refuseWith('export', args, ['resume']);
    return startAsOwner(address, out, 'export-hashes', { file: fileFor('export', [args.text('FILE')]) });
  }
  const file = args.text('FILE') ?? '-';
  const server = await client();
  const resume = args.has('resume');
  const start = resume ? await lastPlace(file) : FIRST_PLACE;
  const usage = await server.databaseUsage();
  const total = (usage.outhashes_v2?.rows ?? 0) + (usage.unihashes_v3?.rows ?? 0);
  const sink = await openSink(file, resume);
  const progress = await createProgress('rows', total);
  let count = 0;
  try {
    for await (const { text, rows } of exportedPages((table, after) => server.exportRows(table, after), start)) {
      if (rows > 0) await sink.write(text);
      count += rows;
      progress.add(rows);
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

/** `import FILE…`: stores rows of an export; those that are there stay as they are, so it can be repeated. */
export async function importHashes({ args, out, address, client }: HashCall): Promise<number | undefined> {
  const files = args.list('FILE');
  if (args.has('background')) {
    refuseWith('import', args, ['from-line']);
    return startAsOwner(address, out, 'import-hashes', { file: fileFor('import', files) });
  }
  const server = await client();
  const totals: ImportTotals = { stored: 0, present: 0, refused: 0 };
  for (const file of files) {
    const progress = await createProgress('rows', await countLines(file));
    const before = args.number('from-line', 1) - 1;
    let done = before;
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
      out.note(
        done > before
          ? `${nameOf(file)}: lines up to ${done} are imported; go on with --from-line ${done + 1}`
          : `${nameOf(file)}: nothing was imported`,
      );
      throw error;
    } finally {
      progress.stop();
    }
  }
  return sayImported(out, totals);
}
