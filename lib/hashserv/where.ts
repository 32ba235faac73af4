import { InvokeError } from '../errors.ts';

/** The text columns of each table, usable in a where (docs/protocol.md). */
export const UNIHASH_COLUMNS = ['method', 'taskhash', 'unihash', 'gc_mark'] as const;
export const OUTHASH_COLUMNS = [
  'method',
  'taskhash',
  'outhash',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
] as const;

/** The columns of export-rows and import-rows, in their order there. */
export const ROW_COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  unihashes: ['method', 'taskhash', 'unihash'],
  outhashes: ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'],
};

/** The same with the gc mark of each unihash. */
export const MARKED_COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  ...ROW_COLUMNS,
  unihashes: [...ROW_COLUMNS.unihashes, 'gc_mark'],
};

export type Table = 'unihashes' | 'outhashes';
export type QueryColumn = (typeof UNIHASH_COLUMNS)[number] | (typeof OUTHASH_COLUMNS)[number];

const TABLE_COLUMNS: Record<Table, readonly QueryColumn[]> = { unihashes: UNIHASH_COLUMNS, outhashes: OUTHASH_COLUMNS };

export const QUERY_COLUMNS: readonly QueryColumn[] = [
  ...new Set<QueryColumn>([...UNIHASH_COLUMNS, ...OUTHASH_COLUMNS]),
];

/** Conditions on one table, all of which must hold. Never empty. */
export type Where = readonly (readonly [column: QueryColumn, value: string])[];

/**
 * The conditions that a where from the wire puts on a table, or null if it has none: then it matches nothing there.
 * Keys whose value is null do not count.
 * @throws InvokeError for a column neither table has: ignoring it would remove more than was meant
 */
export function conditionsFor(table: Table, where: Readonly<Record<string, string | null>>): Where | null {
  const conditions: [QueryColumn, string][] = [];
  for (const [key, value] of Object.entries(where)) {
    const column = QUERY_COLUMNS.find((known) => known === key);
    if (!column) {
      throw new InvokeError(
        `where: unknown column ${JSON.stringify(key.slice(0, 64))}; the columns are ${QUERY_COLUMNS.join(', ')}`,
      );
    }
    if (value !== null && TABLE_COLUMNS[table].includes(column)) conditions.push([column, value]);
  }
  // Always in the same order: each order would be a prepared statement of its own.
  conditions.sort(([a], [b]) => QUERY_COLUMNS.indexOf(a) - QUERY_COLUMNS.indexOf(b));
  return conditions.length > 0 ? conditions : null;
}
