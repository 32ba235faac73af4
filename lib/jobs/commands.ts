import type { CommandRow } from '../asyncrpc/command-row.ts';
import { object, TEXT } from '../asyncrpc/schemas.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { JobCaller, JobRequests } from './jobs.ts';
import { JOB_STATES, type JobState } from './records.ts';

/** A page of a list; each job in it has parameters of 8 KiB at most, and a result. */
const MAX_LISTED = 100;
const LISTED = 20;

const ID = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

/** The jobs of a server, and who asks for them; null where there are none. */
export interface JobAsk {
  readonly jobs: JobRequests | null;
  readonly caller: JobCaller;
}

type JobRow<S> = Pick<CommandRow<S>, 'schema' | 'isLong' | 'handle'>;

interface ListArgs {
  readonly before?: number | null;
  readonly limit?: number;
  readonly states?: readonly JobState[];
}

/**
 * The commands about jobs (docs/jobs.md), for the table of a service, which adds who may use them.
 * @param of what a client of the service asks with
 */
export function jobCommands<S>(of: (context: S) => JobAsk): Readonly<Record<string, JobRow<S>>> {
  const ask = (context: S): { jobs: JobRequests; caller: JobCaller } => {
    const { jobs, caller } = of(context);
    if (!jobs) throw new InvokeError('this server runs no jobs', undefined, 'unavailable');
    return { jobs, caller };
  };
  return {
    'job-start': {
      schema: object({ kind: TEXT, parameters: { type: 'object' } }, ['kind']),
      handle: async (context, { kind, parameters = {} }: { kind: string; parameters?: Json }) => {
        const { jobs, caller } = ask(context);
        return { ...(await jobs.start(caller, kind, parameters)) };
      },
    },
    'job-list': {
      isLong: () => true,
      schema: object(
        {
          before: { ...ID, type: ['integer', 'null'] },
          limit: { type: 'integer', minimum: 1, maximum: MAX_LISTED },
          states: { type: 'array', maxItems: JOB_STATES.length, items: { enum: JOB_STATES } },
        },
        [],
      ),
      handle: (context, { before = null, limit = LISTED, states }: ListArgs) => {
        const { jobs, caller } = ask(context);
        return jobs.list(caller, { before, limit, states: states?.length ? states : null });
      },
    },
    'job-show': {
      isLong: () => true,
      schema: object({ id: ID, log: { type: 'boolean' } }, ['id']),
      handle: (context, { id, log = false }: { id: number; log?: boolean }) => {
        const { jobs, caller } = ask(context);
        return jobs.show(caller, id, log);
      },
    },
    'job-cancel': {
      schema: object({ id: ID }),
      handle: (context, { id }: { id: number }) => {
        const { jobs, caller } = ask(context);
        return jobs.cancel(caller, id);
      },
    },
  };
}
