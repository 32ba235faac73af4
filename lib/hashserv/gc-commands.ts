import { BadLine } from '../asyncrpc/dispatch.ts';
import { encodeJson } from '../asyncrpc/messages.ts';
import { isLongText, isText } from '../asyncrpc/schema.ts';
import { InvokeError } from '../errors.ts';
import type { HashContext, HashRow } from './commands.ts';
import type { WireWhere } from './gc.ts';
import { DB_ADMIN } from './permissions.ts';
import { object } from './schemas.ts';
import { conditionsFor, QUERY_COLUMNS } from './where.ts';

const MARK = { type: 'string', minLength: 1, format: 'text' };
const WHERE = { type: 'object', additionalProperties: { type: ['string', 'null'], format: 'long-text' } };
const MARK_REQUEST = object({ mark: MARK, where: WHERE });

interface MarkArgs {
  readonly mark: string;
  readonly where: WireWhere;
}

/** Answers lines `{"mark": …, "where": …}` with `{"count": n}`. */
async function markStream({ gc, session }: HashContext, lines: readonly string[]): Promise<string> {
  const requests = lines.map(parseMarkLine);
  const counts = await gc.markAll(session, requests);
  return counts.map((count) => `${encodeJson({ count })}\n`).join('');
}

/** MARK_REQUEST by hand: a collection sends thousands of lines. */
function isMarkRequest(value: unknown): value is MarkArgs {
  if (typeof value !== 'object' || value === null) return false;
  const { mark, where } = value as Record<string, unknown>;
  if (typeof mark !== 'string' || mark === '' || !isText(mark)) return false;
  if (typeof where !== 'object' || where === null || Array.isArray(where)) return false;
  return Object.values(where).every((each) => each === null || (typeof each === 'string' && isLongText(each)));
}

function parseMarkLine(line: string, index: number): MarkArgs {
  try {
    const request: unknown = JSON.parse(line);
    if (isMarkRequest(request)) {
      conditionsFor('unihashes', request.where);
      return request;
    }
  } catch (error) {
    if (error instanceof InvokeError) throw new BadLine(index, error.message);
  }
  throw new BadLine(index, 'Bad line in the stream: expected {"mark": text, "where": {column: text}}');
}

/** Deletion, garbage collection and what an administrator asks of the database (protocol.md section 3). */
export const GC_COMMANDS: Readonly<Record<string, HashRow>> = {
  remove: {
    needs: [DB_ADMIN],
    writes: true,
    schema: object({ where: WHERE }),
    handle: async ({ gc, session, upstream }, { where }: { where: WireWhere }) => {
      upstream?.forgetAll();
      return { count: await gc.remove(session, where) };
    },
  },
  'gc-mark': {
    needs: [DB_ADMIN],
    writes: true,
    schema: MARK_REQUEST,
    handle: async ({ gc, session }, { mark, where }: MarkArgs) => ({ count: await gc.mark(session, mark, where) }),
  },
  'gc-mark-stream': { needs: [DB_ADMIN], writes: true, stream: markStream },
  'gc-status': {
    needs: [DB_ADMIN],
    handle: async ({ store }) => {
      const { keep, remove, mark } = await store.gcStatus();
      return { keep, remove, mark };
    },
  },
  'gc-sweep': {
    needs: [DB_ADMIN],
    writes: true,
    // BitBake's clients do not say how many rows they were shown.
    schema: object({ mark: MARK, remove: { type: 'integer', minimum: 0 } }, ['mark']),
    handle: async ({ gc, session }, { mark, remove = null }: { mark: string; remove?: number | null }) => ({
      count: await gc.sweep(session, mark, remove),
    }),
  },
  'clean-unused': {
    needs: [DB_ADMIN],
    writes: true,
    schema: object({ max_age_seconds: { type: 'number', minimum: 0 } }),
    handle: async ({ gc, session }, { max_age_seconds }: { max_age_seconds: number }) => ({
      count: await gc.cleanUnused(session, max_age_seconds),
    }),
  },
  'get-db-usage': {
    needs: [DB_ADMIN],
    handle: async ({ store }) => ({
      usage: Object.fromEntries([...(await store.usage())].map(([table, rows]) => [table, { rows }])),
    }),
  },
  'get-db-query-columns': { needs: [DB_ADMIN], handle: () => ({ columns: [...QUERY_COLUMNS] }) },
};
