import { OPTIONAL_TEXT } from '../../asyncrpc/schemas.ts';
import { type JobKind, parametersOf } from '../../jobs/kind.ts';
import { filterOf } from '../commands/rows.ts';
import type { RowFilter } from '../store.ts';
import { prFileKinds } from './file-kinds.ts';
import type { PrJobParts } from './parts.ts';

/** The kinds of job of PR values (docs/jobs.md). */
export function prKinds(parts: PrJobParts): readonly JobKind[] {
  const { store, database } = parts;
  return [
    ...prFileKinds(parts),
    {
      name: 'remove-prs',
      describe: 'Removes the PR values that match, as remove; a removed value may be given out again',
      parameters: parametersOf({
        version: OPTIONAL_TEXT,
        pkgarch: OPTIONAL_TEXT,
        checksum: OPTIONAL_TEXT,
        value: OPTIONAL_TEXT,
      }),
      counts: 'rows',
      // One transaction. Whether it was done before a kill only a look tells.
      resumable: false,
      access: () => 'prserv',
      writes: () => database,
      check: (parameters: Partial<RowFilter>) => void filterOf('remove-prs', parameters),
      async *run({ parameters, note }) {
        const filter = filterOf('remove-prs', parameters);
        const total = await store.countRows(filter);
        yield { position: null, done: 0, total, soFar: { count: 0 } };
        const count = await store.removeRows(filter);
        note(`${count} rows`);
        return { count };
      },
    },
  ];
}
