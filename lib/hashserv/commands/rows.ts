import { randomUUID } from 'node:crypto';
import { BadLine } from '../../asyncrpc/dispatch.ts';
import { object } from '../../asyncrpc/schemas.ts';
import { EncodedReply } from '../../asyncrpc/service.ts';
import { isLongText } from '../../asyncrpc/wire/formats.ts';
import { asciiJson, encodeJson } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { DB_ADMIN } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import type { WireWhere } from '../gc.ts';
import { ID_NOTE, type RowValues } from '../store.ts';
import { conditionsFor, MARKED_COLUMNS, ROW_COLUMNS, type Table, type Where } from '../where.ts';
import { rowFault } from './row-rule.ts';
import { WHERE } from './schemas.ts';

/** Rows in a request or a reply; each has ten columns at most, and a message at most 10,000 keys. */
const MAX_ROWS = 1000;
/** A page stops growing at this size, so that long siginfo does not fill the memory. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Of tasks, whose texts are cut: some 400 KB, and 10 MB at most. */
const MAX_TASKS = 2000;

const AFTER = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const TABLE = { enum: ['unihashes', 'outhashes'] };
const ROWS = {
  type: 'array',
  maxItems: MAX_ROWS,
  items: { type: 'array', items: { type: ['string', 'null'] } },
};
interface PageArgs {
  readonly table: Table;
  readonly after: number;
  readonly limit?: number;
  readonly marks?: boolean;
}

interface ImportArgs {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly rows: readonly RowValues[];
  readonly check?: boolean;
}

async function countRows({ store }: HashContext, { where }: { where: WireWhere }) {
  const [unihashes, outhashes] = [conditionsFor('unihashes', where), conditionsFor('outhashes', where)];
  return {
    unihashes: unihashes ? await store.countRows('unihashes', unihashes) : 0,
    outhashes: outhashes ? await store.countRows('outhashes', outhashes) : 0,
  };
}

/** Answers lines `{"where": …}` with the number of unihash rows that match: what gc-mark-stream would mark. */
async function countStream({ store }: HashContext, lines: readonly string[]): Promise<string> {
  const wheres = lines.map(parseCountLine);
  const byUnihash = wheres.filter((where) => where?.some(([column]) => column === 'unihash')) as Where[];
  const counts = await store.countKeys(byUnihash);
  let next = 0;
  let text = '';
  for (const where of wheres) {
    const known = where?.some(([column]) => column === 'unihash');
    const count = !where ? 0 : known ? counts[next++]! : await store.countRows('unihashes', where);
    text += `${encodeJson({ count })}\n`;
  }
  return text;
}

function parseCountLine(line: string, index: number): Where | null {
  try {
    const where: unknown = JSON.parse(line)?.where;
    if (typeof where === 'object' && where !== null && !Array.isArray(where)) {
      const values = Object.values(where);
      if (values.every((each) => each === null || (typeof each === 'string' && isLongText(each)))) {
        return conditionsFor('unihashes', where as WireWhere);
      }
    }
  } catch (error) {
    if (error instanceof InvokeError) throw new BadLine(index, error.message);
  }
  throw new BadLine(index, 'Bad line in the stream: expected {"where": {column: text}}');
}

async function exportRows({ store }: HashContext, { table, after, limit = MAX_ROWS, marks = false }: PageArgs) {
  const { rows, next } = await store.exportRows(table, after, limit, MAX_PAGE_BYTES, marks);
  return { columns: [...(marks ? MARKED_COLUMNS : ROW_COLUMNS)[table]], rows: rows.map((row) => [...row]), next };
}

/** Sent on as the text that the database has made of them. */
async function exportTasks({ store }: HashContext, { after, limit = MAX_TASKS }: { after: number; limit?: number }) {
  const { rows, next } = await store.exportTasks(after, limit);
  return new EncodedReply(`{"rows": ${asciiJson(rows)}, "next": ${next}}`);
}

/** Stores rows; with `check` only tells what is stored under their keys, and which rows could not be stored. */
async function importRows(context: HashContext, { table, columns, rows, check = false }: ImportArgs) {
  const marked = check || columns.length > ROW_COLUMNS[table].length;
  const wanted = (marked ? MARKED_COLUMNS : ROW_COLUMNS)[table];
  if (columns.join() !== wanted.join()) {
    throw new InvokeError(`import-rows: columns of ${table} must be ${wanted.join(', ')}, in this order`);
  }
  if (check) {
    const { good, refused } = sortOut(table, rows, true);
    const found = good.length > 0 ? await context.store.compareRows(table, good) : [];
    return { stored: 0, present: 0, refused, found: found.map((differing) => differing && [...differing]) };
  }
  const reply = await storeRows(context, table, rows, marked);
  context.imports.add({ ...reply, refused: reply.refused.length });
  return reply;
}

/**
 * Stores the rows that a report could have stored; those that are there stay as they are.
 * @param marked they have MARKED_COLUMNS, and keep their gc mark
 */
export async function storeRows(
  { store, upstream }: Pick<HashContext, 'store' | 'upstream'>,
  table: Table,
  rows: readonly RowValues[],
  marked = false,
) {
  const { good, refused } = sortOut(table, rows, marked);
  if (table === 'unihashes') for (const [method, taskhash] of good) upstream?.forget(`${method} ${taskhash}`);
  const stored = good.length > 0 ? await store.importRows(table, good, marked) : 0;
  return { stored, present: good.length - stored, refused };
}

/** The rows that a report could have stored, and the others by their place. */
function sortOut(table: Table, rows: readonly RowValues[], marked: boolean) {
  const columns = (marked ? MARKED_COLUMNS : ROW_COLUMNS)[table];
  const refused: { row: number; message: string }[] = [];
  const good: RowValues[] = [];
  for (const [i, row] of rows.entries()) {
    const message = rowFault(columns, row);
    if (message === null) good.push(row);
    else refused.push({ row: i, message });
  }
  return { good, refused };
}

/**
 * What tells this database from all others, wherever it is, made when it is first asked for: by it a pull knows how far it has
 * read. Null on a read-only server whose database has none.
 */
async function databaseId({ store, readOnly }: HashContext): Promise<{ id: string | null }> {
  const id = readOnly ? await store.note(ID_NOTE) : await store.ensureNote(ID_NOTE, randomUUID());
  return { id };
}

/** What bakeserv adds to the protocol for its clients (docs/protocol.md). */
export const ROW_COMMANDS: Readonly<Record<string, HashRow>> = {
  'count-rows': { needs: [DB_ADMIN], schema: object({ where: WHERE }), handle: countRows },
  'count-stream': { needs: [DB_ADMIN], stream: countStream },
  'database-id': { needs: [DB_ADMIN], handle: databaseId },
  'export-rows': {
    needs: [DB_ADMIN],
    isLong: () => true,
    schema: object(
      {
        table: TABLE,
        after: AFTER,
        limit: { type: 'integer', minimum: 1, maximum: MAX_ROWS },
        marks: { type: 'boolean' },
      },
      ['table', 'after'],
    ),
    handle: exportRows,
  },
  'export-tasks': {
    needs: [DB_ADMIN],
    isLong: () => true,
    schema: object({ after: AFTER, limit: { type: 'integer', minimum: 1, maximum: MAX_TASKS } }, ['after']),
    handle: exportTasks,
  },
  'import-rows': {
    needs: [DB_ADMIN],
    writes: true,
    schema: object(
      { table: TABLE, columns: { type: 'array', items: { type: 'string' } }, rows: ROWS, check: { type: 'boolean' } },
      ['table', 'columns', 'rows'],
    ),
    handle: importRows,
  },
};
