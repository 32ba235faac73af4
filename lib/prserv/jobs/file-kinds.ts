import { InvokeError } from '../../errors.ts';
import { openSink } from '../../files/sink.ts';
import { FILE_PARAMETER, type JobKind, parametersOf } from '../../jobs/kind.ts';
import { importFault } from '../commands/import-rule.ts';
import { FORMATS, type Format, formatOf } from '../files/formats.ts';
import { readRows } from '../files/reading.ts';
import type { PrRow } from '../store.ts';
import type { PrJobParts } from './parts.ts';

const PAGE_ROWS = 1000;
const ALL = { version: null, pkgarch: null, checksum: null };

interface FileParameters {
  readonly file: string;
  readonly format?: Format;
}

/** Export and import, to and from files of the server's machine: for its owner. */
export function prFileKinds({ store, database, requireFile }: PrJobParts): readonly JobKind[] {
  /** @throws InvokeError where neither the parameter nor the name tells */
  function formatIn({ file, format }: FileParameters): Format {
    const found = format ?? formatOf(file);
    if (found) return found;
    throw new InvokeError(
      `job-start: import-prs: say what ${file} is with format (${FORMATS.join(', ')})`,
      undefined,
      'invalid',
    );
  }

  /** The rows of a file, in groups; throws at the first that cannot be stored. */
  async function* groups(parameters: FileParameters): AsyncGenerator<PrRow[]> {
    const { file } = parameters;
    let group: PrRow[] = [];
    for await (const parsed of readRows(file, formatIn(parameters))) {
      const fault = 'error' in parsed ? parsed.error : importFault(parsed.row);
      if (fault !== null)
        throw new InvokeError(`${file}, line ${parsed.line}: ${fault}; nothing from here on is imported`);
      if (!('row' in parsed) || group.push(parsed.row) < PAGE_ROWS) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  return [
    {
      name: 'export-prs',
      describe: 'Writes every PR row into a file of JSON lines, as bakeserv-prclient export --history --format jsonl',
      parameters: parametersOf({ file: FILE_PARAMETER }, ['file']),
      counts: 'rows',
      // From the beginning.
      resumable: true,
      access: () => 'owner',
      writes: () => null,
      check: ({ file }: FileParameters) => requireFile(file),
      async *run({ parameters, note }) {
        const { file } = parameters as FileParameters;
        requireFile(file);
        const sink = await openSink(file);
        let done = 0;
        try {
          for (let last: PrRow | null = null; ; ) {
            const rows = await store.page(ALL, last, PAGE_ROWS);
            const lines = rows.map(({ version, pkgarch, checksum, value }) =>
              JSON.stringify({ version, pkgarch, checksum, value }),
            );
            if (rows.length > 0) await sink.write(`${lines.join('\n')}\n`);
            done += rows.length;
            yield { position: null, done, total: null, soFar: null };
            if (rows.length < PAGE_ROWS) break;
            last = rows.at(-1)!;
          }
          await sink.commit();
        } finally {
          await sink.abandon();
        }
        note(`${done} rows in ${file}`);
        return { exported: done };
      },
    },
    {
      name: 'import-prs',
      describe: 'Stores the rows of a file, as bakeserv-prclient import; rows that are there stay as they are',
      parameters: parametersOf({ file: FILE_PARAMETER, format: { enum: FORMATS } }, ['file']),
      counts: 'rows',
      // From the beginning: what was stored is there already.
      resumable: true,
      access: () => 'owner',
      writes: () => database,
      check(parameters: FileParameters) {
        requireFile(parameters.file);
        formatIn(parameters);
      },
      async *run({ parameters, note }) {
        requireFile((parameters as FileParameters).file);
        let total = 0;
        // Everything is read before anything is stored: a wrong row should be found while there is nothing to take back.
        for await (const group of groups(parameters)) {
          total += group.length;
          yield { position: null, done: 0, total, soFar: { stored: 0, present: 0 } };
        }
        let [done, stored] = [0, 0];
        for await (const group of groups(parameters)) {
          stored += await store.importAll(group, PAGE_ROWS);
          done += group.length;
          yield { position: null, done, total, soFar: { stored, present: done - stored } };
        }
        note(`${done} rows`);
        return { stored, present: done - stored };
      },
    },
  ];
}
