import { OPTIONAL_LONG_TEXT, OPTIONAL_TEXT, object } from '../../asyncrpc/schemas.ts';
import { DB_ADMIN, READ, REPORT } from '../access/permissions.ts';
import type { HashRow } from '../context.ts';
import { countTasks } from './count-tasks.ts';
import { FIND_COMMAND } from './find-rows.ts';
import { FIND_TASK_COMMAND } from './find-task.ts';
import { GC_COMMANDS } from './gc.ts';
import { INSIGHT_COMMANDS } from './insights.ts';
import { JOB_COMMANDS } from './jobs.ts';
import { getOuthash, getTask, getUnihash } from './read-through.ts';
import { report, reportEquivalent } from './report.ts';
import { rowReply } from './row-reply.ts';
import { ROW_COMMANDS } from './rows.ts';
import { HASH, UNIHASH } from './schemas.ts';
import { SHARED_STATE_COMMAND } from './shared-state.ts';
import { existsStream, getStream } from './streams.ts';
import { USER_COMMANDS } from './users.ts';

const INVALID_UNIHASH = { unihash: 'Invalid unihash' };

interface GetArgs {
  readonly method: string;
  readonly taskhash: string;
  readonly all?: boolean;
}

interface GetOuthashArgs {
  readonly method: string;
  readonly outhash: string;
  readonly taskhash: string;
  readonly with_unihash?: boolean;
}

/** The commands of the hash equivalence service (docs/protocol.md). */
export const HASH_COMMANDS: Readonly<Record<string, HashRow>> = {
  ping: { needs: [], always: true, handle: () => ({ alive: true }) },

  get: {
    needs: [READ],
    schema: object({ method: HASH, taskhash: HASH, all: { type: 'boolean' } }, ['method', 'taskhash']),
    isLong: (arg) => arg?.all === true,
    handle: async (context, { method, taskhash, all = false }: GetArgs) => {
      if (all) return rowReply(context.store, await getTask(context, method, taskhash));
      const unihash = await getUnihash(context, method, taskhash);
      return unihash === null ? null : { taskhash, method, unihash };
    },
  },

  'get-outhash': {
    needs: [READ],
    isLong: () => true,
    schema: object({ method: HASH, outhash: HASH, taskhash: HASH, with_unihash: { type: 'boolean' } }, [
      'method',
      'outhash',
      'taskhash',
    ]),
    handle: async (context, { method, outhash, taskhash, with_unihash = true }: GetOuthashArgs) =>
      rowReply(context.store, await getOuthash(context, { method, outhash, taskhash, withUnihash: with_unihash })),
  },

  'get-stream': {
    needs: [READ],
    stream: getStream,
    scanner({ store, upstream, figures }) {
      const scanner = store.knownLines('tasks', upstream === null);
      return scanner && countTasks(scanner, figures.lookups);
    },
  },
  'exists-stream': {
    needs: [READ],
    stream: existsStream,
    scanner: ({ store, upstream }) => store.knownLines('unihashes', upstream === null),
  },

  // Stores if it may; for a client without @report, and on a read-only server, it answers from what is known.
  report: {
    needs: [READ],
    schema: object(
      {
        method: HASH,
        taskhash: HASH,
        outhash: HASH,
        unihash: UNIHASH,
        owner: OPTIONAL_TEXT,
        PN: OPTIONAL_TEXT,
        PV: OPTIONAL_TEXT,
        PR: OPTIONAL_TEXT,
        task: OPTIONAL_TEXT,
        outhash_siginfo: OPTIONAL_LONG_TEXT,
      },
      ['method', 'taskhash', 'outhash', 'unihash'],
    ),
    refusals: INVALID_UNIHASH,
    mayWrite: true,
    batch: report,
  },

  'report-equiv': {
    needs: [READ, REPORT],
    writes: true,
    // BitBake's client then warns once and goes on (docs/protocol.md).
    readOnlyReply: null,
    schema: object({ method: HASH, taskhash: HASH, unihash: UNIHASH }),
    refusals: INVALID_UNIHASH,
    batch: reportEquivalent,
  },

  'get-stats': {
    needs: [READ],
    handle: ({ stats, upstream, backfill }) => ({
      requests: { ...stats.figures() },
      ...(upstream && { upstream: { ...upstream.figures(), ...backfill.figures() } }),
    }),
  },

  'reset-stats': {
    needs: [DB_ADMIN],
    handle: ({ stats }) => {
      const requests = { ...stats.figures() };
      stats.reset();
      return { requests };
    },
  },

  'backfill-wait': { needs: [READ], untimed: true, handle: async ({ backfill }) => ({ tasks: await backfill.wait() }) },

  ...GC_COMMANDS,
  ...ROW_COMMANDS,
  ...FIND_COMMAND,
  ...INSIGHT_COMMANDS,
  ...SHARED_STATE_COMMAND,
  ...FIND_TASK_COMMAND,
  ...JOB_COMMANDS,
  ...USER_COMMANDS,
};
