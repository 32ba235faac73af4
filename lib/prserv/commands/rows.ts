import { OPTIONAL_TEXT, object } from '../../asyncrpc/schemas.ts';
import { InvokeError } from '../../errors.ts';
import { note } from '../audit.ts';
import type { PrCommandRow, PrContext } from '../context.ts';
import { DB_ADMIN, READ } from '../permissions.ts';
import type { PrRow, RowFilter } from '../store.ts';
import { importFault } from './import-rule.ts';

/** Rows in one import, which is one transaction: others wait for it, a second or two at most. */
export const MAX_IMPORT_ROWS = 100_000;
/** A refusal names at most this many rows: a client that sends rubbish need not be told all of it. */
const MAX_FAULTS = 1000;
/** Rows that are read, or stored, before others have their turn. */
const ROWS_A_TURN = 1000;

const MAX_PAGE_ROWS = 1000;
const ANY = { version: null, pkgarch: null, checksum: null };

const FILTER = object(
  { version: OPTIONAL_TEXT, pkgarch: OPTIONAL_TEXT, checksum: OPTIONAL_TEXT, value: OPTIONAL_TEXT },
  [],
);

/** Stores all of `rows` or none; with `check` only tells whether they could be stored. */
async function importRows({ store, imports }: PrContext, args: { rows: string; check?: boolean }) {
  const read: PrRow[] = [];
  const refused: { row: number; message: string }[] = [];
  let number = 0;
  for (const line of linesOf(args.rows)) {
    const row = parseRow(line);
    const fault = typeof row === 'string' ? row : importFault(row);
    if (fault !== null) refused.push({ row: number, message: fault });
    else if (refused.length === 0) read.push(row as PrRow);
    number++;
    if (number > MAX_IMPORT_ROWS) throw new InvokeError(`import-rows: at most ${MAX_IMPORT_ROWS} rows in a request`);
    if (refused.length === MAX_FAULTS) break;
    if (number % ROWS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (args.check) return { stored: 0, present: 0, refused };
  const all = refused.length === 0 && read.length > 0;
  const stored = all ? await store.importAll(read, ROWS_A_TURN) : 0;
  const present = all ? read.length - stored : 0;
  imports.add({ stored, present, refused: refused.length });
  return { stored, present, refused };
}

/** The lines of a text one by one: a list of them would be as large again. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}

/** A line `["version", "pkgarch", "checksum", "value"]`, or what is wrong with it. */
function parseRow(line: string): PrRow | string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (!Array.isArray(row) || row.length !== 4 || row.some((each) => typeof each !== 'string')) {
    return 'expected a list of four texts: version, pkgarch, checksum, value';
  }
  const [version, pkgarch, checksum, value] = row as [string, string, string, string];
  return { version, pkgarch, checksum, value };
}

export function filterOf(command: string, args: Partial<RowFilter>): RowFilter {
  const { version = null, pkgarch = null, checksum = null, value = null } = args;
  if (version === null && pkgarch === null && checksum === null) {
    throw new InvokeError(`${command}: name a version, a pkgarch or a checksum`);
  }
  return { version, pkgarch, checksum, value };
}

/** A page of all rows, in the order of their columns, and how many there are: `export` tells all of them in one answer. */
async function exportPage(
  { store }: PrContext,
  { after, limit = MAX_PAGE_ROWS, count = false }: { after: string[] | null; limit?: number; count?: boolean },
) {
  const [version, pkgarch, checksum, value] = after ?? [];
  const place = after && { version: version!, pkgarch: pkgarch!, checksum: checksum!, value: value! };
  const rows = (await store.page(ANY, place, limit)).map((row) => [row.version, row.pkgarch, row.checksum, row.value]);
  const next = rows.length < limit ? null : rows.at(-1)!;
  return count ? { rows, next, total: await store.countAll() } : { rows, next };
}

/** Logged at once, even if it fails: nothing else shows which rows are gone. */
async function removeRows(context: PrContext, args: Partial<RowFilter>) {
  const filter = filterOf('remove', args);
  const where = JSON.stringify(filter, (_key, value) => value ?? undefined);
  try {
    const count = await context.store.removeRows(filter);
    note(context, 'PR rows removed', { where, count });
    return { count };
  } catch (error) {
    note(context, 'not done, or not wholly: PR rows removed', { where, error });
    throw error;
  }
}

/** What bakeserv adds to the protocol for its client (docs/protocol.md). */
export const PR_ROW_COMMANDS: Readonly<Record<string, PrCommandRow>> = {
  'import-rows': {
    needs: [],
    users: [DB_ADMIN],
    writes: true,
    schema: object({ rows: { type: 'string' }, check: { type: 'boolean' } }, ['rows']),
    handle: importRows,
  },
  'export-rows': {
    needs: [],
    users: [READ],
    isLong: () => true,
    schema: object(
      {
        after: { type: ['array', 'null'], minItems: 4, maxItems: 4, items: { type: 'string', format: 'text' } },
        limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE_ROWS },
        count: { type: 'boolean' },
      },
      ['after'],
    ),
    handle: exportPage,
  },
  'count-rows': {
    needs: [],
    users: [READ],
    schema: FILTER,
    handle: async ({ store }, args: Partial<RowFilter>) => ({
      count: await store.countRows(filterOf('count-rows', args)),
    }),
  },
  // The only command of this service that takes something away.
  remove: {
    needs: [DB_ADMIN],
    users: [DB_ADMIN],
    writes: true,
    schema: FILTER,
    handle: removeRows,
  },
};
