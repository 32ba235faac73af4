import { object } from '../../asyncrpc/schemas.ts';
import { InvokeError } from '../../errors.ts';
import { DB_ADMIN } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import { MAX_FOUND_KEYS } from '../find-rows.ts';
import type { RowSearch } from '../store.ts';
import { ROW_COLUMNS, type Table } from '../where.ts';
import { HASH } from './schemas.ts';

/** As a page of export-rows. */
const MAX_ROWS = 1000;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

interface FindArgs {
  readonly table: Table;
  readonly by: RowSearch['by'];
  readonly keys: readonly (string | readonly [string, string])[];
  readonly after?: string | null;
  readonly limit?: number;
  readonly brief?: boolean;
}

/** What keys look like, and where they can be looked for. */
const SEARCHES = {
  unihash: { tables: ['unihashes'], pairs: false, keys: 'texts' },
  task: { tables: ['unihashes', 'outhashes'], pairs: true, keys: 'lists of a method and a taskhash' },
  PN: { tables: ['outhashes'], pairs: false, keys: 'texts' },
} as const;

async function findRows({ store }: HashContext, args: FindArgs) {
  const { after = null, limit = MAX_ROWS, brief = false } = args;
  const limits = { rows: limit, bytes: MAX_PAGE_BYTES, brief };
  const { rows, next } = await store.findRows(searchOf(args), after, limits);
  return { columns: [...ROW_COLUMNS[args.table]], rows: rows.map((row) => [...row]), next };
}

function searchOf({ table, by, keys }: FindArgs): RowSearch {
  const { tables, pairs, keys: expected } = SEARCHES[by];
  if (!tables.some((each) => each === table))
    throw new InvokeError(`find-rows: no ${table} are found by ${by}`, undefined, 'invalid');
  if (keys.some((key) => Array.isArray(key) !== pairs))
    throw new InvokeError(`find-rows: keys by ${by} are ${expected}`, undefined, 'invalid');
  return { table, by, keys } as RowSearch;
}

/** Looks rows up by what they have in common, for a bakeserv that takes some of them (docs/protocol.md). */
export const FIND_COMMAND: Readonly<Record<string, HashRow>> = {
  'find-rows': {
    needs: [DB_ADMIN],
    isLong: () => true,
    schema: object(
      {
        table: { enum: ['unihashes', 'outhashes'] },
        by: { enum: Object.keys(SEARCHES) },
        keys: {
          type: 'array',
          maxItems: MAX_FOUND_KEYS,
          items: {
            anyOf: [
              { type: 'string', minLength: 1, format: 'text' },
              { type: 'array', minItems: 2, maxItems: 2, items: HASH },
            ],
          },
        },
        after: { type: ['string', 'null'], format: 'text' },
        limit: { type: 'integer', minimum: 1, maximum: MAX_ROWS },
        brief: { type: 'boolean' },
      },
      ['table', 'by', 'keys'],
    ),
    handle: findRows,
  },
};
