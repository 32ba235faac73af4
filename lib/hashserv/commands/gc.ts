import { BadLine } from '../../asyncrpc/dispatch.ts';
import { object, TEXT } from '../../asyncrpc/schemas.ts';
import { isLongText, isText } from '../../asyncrpc/wire/formats.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import type { LogFields } from '../../log.ts';
import { note } from '../access/audit.ts';
import { DB_ADMIN } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import type { WireWhere } from '../gc.ts';
import { forgetRemoved } from '../upstream/forget-removed.ts';
import { conditionsFor, QUERY_COLUMNS } from '../where.ts';
import { WHERE } from './schemas.ts';

const MARK_REQUEST = object({ mark: TEXT, where: WHERE });

interface MarkArgs {
  readonly mark: string;
  readonly where: WireWhere;
}

/** Answers lines `{"mark": …, "where": …}` with `{"count": n}`. */
async function markStream(context: HashContext, lines: readonly string[]): Promise<string> {
  const requests = lines.map(parseMarkLine);
  for (const { mark } of requests) noteMark(context, mark);
  const counts = await context.gc.markAll(context.session, requests);
  return counts.map((count) => `${encodeJson({ count })}\n`).join('');
}

/** Logs that a collection starts, if this mark starts one. */
function noteMark(context: HashContext, mark: string): void {
  if (context.gc.begins(mark)) note(context, 'garbage collection begun', { mark });
}

/** Answers how many rows a task took, and logs it; also when it stopped half-way. */
async function counted(context: HashContext, what: string, fields: LogFields, task: () => Promise<number>) {
  try {
    const count = await task();
    note(context, what, { ...fields, count });
    return { count };
  } catch (error) {
    note(context, `not done, or not wholly: ${what}`, { ...fields, error });
    throw error;
  }
}

/** MARK_REQUEST, checked by hand: a collection sends thousands of lines. */
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

/** Deletion, garbage collection and an administrator's questions to the database (docs/protocol.md). */
export const GC_COMMANDS: Readonly<Record<string, HashRow>> = {
  remove: {
    needs: [DB_ADMIN],
    writes: true,
    schema: object({ where: WHERE }),
    handle: async (context, { where }: { where: WireWhere }) => {
      if (context.upstream) await forgetRemoved(context.upstream, context.backfill, where);
      const removed = () => context.gc.remove(context.session, where);
      return counted(context, 'rows removed', { where: JSON.stringify(where) }, removed);
    },
  },
  'gc-mark': {
    needs: [DB_ADMIN],
    writes: true,
    schema: MARK_REQUEST,
    handle: async (context, { mark, where }: MarkArgs) => {
      noteMark(context, mark);
      return { count: await context.gc.mark(context.session, mark, where) };
    },
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
    // BitBake's clients do not send how many rows they were shown.
    schema: object({ mark: TEXT, remove: { type: 'integer', minimum: 0 } }, ['mark']),
    handle: (context, { mark, remove = null }: { mark: string; remove?: number | null }) =>
      counted(context, 'garbage collection swept', { mark }, () => context.gc.sweep(context.session, mark, remove)),
  },
  'clean-unused': {
    needs: [DB_ADMIN],
    writes: true,
    schema: object({ max_age_seconds: { type: 'number', minimum: 0 } }),
    handle: (context, { max_age_seconds: age }: { max_age_seconds: number }) =>
      counted(context, 'unused outhashes removed', { max_age_seconds: age }, () =>
        context.gc.cleanUnused(context.session, age),
      ),
  },
  'get-db-usage': {
    needs: [DB_ADMIN],
    handle: async ({ store }) => ({
      usage: Object.fromEntries([...(await store.usage())].map(([table, rows]) => [table, { rows }])),
    }),
  },
  'get-db-query-columns': { needs: [DB_ADMIN], handle: () => ({ columns: [...QUERY_COLUMNS] }) },
};
