import { InvokeError } from '../../errors.ts';
import { countLines } from '../../files/lines.ts';
import { openSink } from '../../files/sink.ts';
import { FILE_PARAMETER, type JobKind, parametersOf } from '../../jobs/kind.ts';
import { storeRows } from '../commands/rows.ts';
import { batches, exportedPages, FIRST_PLACE, lastPlace } from '../files/rows-file.ts';
import { TABLE_NAMES } from '../store-rules.ts';
import type { HashJobParts } from './gc-kinds.ts';

/** Rows and bytes of a page. A thousand rows are 15 ms of this thread, most of it their text: clients should not wait for that at each page. */
const PAGE_ROWS = 500;
const PAGE_BYTES = 1024 * 1024;

interface FileParameters {
  readonly file: string;
}

/** Export and import, to and from files of the server's machine: for its owner. */
export function hashFileKinds({ store, upstream, database, requireFile }: HashJobParts): readonly JobKind[] {
  const page = (table: keyof typeof TABLE_NAMES, after: number) =>
    store.exportRows(table, after, PAGE_ROWS, PAGE_BYTES);
  return [
    {
      name: 'export-hashes',
      describe: 'Writes every hash row into a file, as bakeserv-hashclient export',
      parameters: parametersOf({ file: FILE_PARAMETER }, ['file']),
      counts: 'rows',
      resumable: true,
      access: () => 'owner',
      writes: () => null,
      check: ({ file }: FileParameters) => requireFile(file),
      async *run({ parameters, note }, from) {
        const { file } = parameters as FileParameters;
        requireFile(file);
        const usage = await store.usage();
        const total = Object.values(TABLE_NAMES).reduce((sum, table) => sum + (usage.get(table) ?? 0), 0);
        // The file knows best how far it came: after a loss of power it may hold less than was written.
        const place = from === null ? FIRST_PLACE : await lastPlace(file);
        let done = place === FIRST_PLACE ? 0 : (from as number);
        const sink = await openSink(file, from !== null);
        try {
          for await (const { text, rows } of exportedPages(page, place)) {
            if (rows > 0) await sink.write(text);
            done += rows;
            yield { position: done, done, total, soFar: { exported: done } };
          }
          await sink.commit();
        } finally {
          await sink.abandon(true);
        }
        note(`${done} rows in ${file}`);
        return { exported: done };
      },
    },
    {
      name: 'import-hashes',
      describe:
        'Stores the rows of an exported file, as bakeserv-hashclient import; rows that are there stay as they are',
      parameters: parametersOf({ file: FILE_PARAMETER }, ['file']),
      counts: 'lines',
      resumable: true,
      access: () => 'owner',
      writes: () => database,
      check: ({ file }: FileParameters) => requireFile(file),
      async *run({ parameters, note }, from) {
        const { file } = parameters as FileParameters;
        requireFile(file);
        const total = await countLines(file);
        if (total === null) throw new InvokeError(`${file} is not a file`);
        const before = from as { line: number; stored: number; present: number; refused: number } | null;
        let { line, ...counts } = before ?? { line: 0, stored: 0, present: 0, refused: 0 };
        for await (const { table, rows, numbers } of batches(file, line)) {
          const { stored, present, refused } = await storeRows({ store, upstream }, table, rows);
          for (const { row, message } of refused) note(`line ${numbers[row]} refused: ${message}`);
          line = numbers.at(-1)!;
          counts = {
            stored: counts.stored + stored,
            present: counts.present + present,
            refused: counts.refused + refused.length,
          };
          yield { position: { line, ...counts }, done: line, total, soFar: { ...counts } };
        }
        return { ...counts };
      },
    },
  ];
}
