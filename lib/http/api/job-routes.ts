import type { Json } from '../../asyncrpc/wire/messages.ts';
import { ApiProblem } from './failure.ts';
import type { ApiArguments, ApiRoute, ApiService } from './route.ts';
import { JOB, JOB_BODY, JOB_LIST, JOB_STARTED } from './schemas.ts';

const SERVICE = { type: 'string', enum: ['hashserv', 'prserv'], default: 'hashserv' };
const QUERY = { service: SERVICE };

/** Jobs are of a service, and each has commands for its own. */
function service({ query: { service: name = 'hashserv' } }: ApiArguments): ApiService {
  if (name === 'hashserv') return 'OEHASHEQUIV';
  if (name === 'prserv') return 'PRSERVICE';
  throw new ApiProblem('invalid', 'service must be hashserv or prserv.');
}

/** A number, where the text is one; anything else is refused by the command, which names it. */
const number = (text: string): Json => (/^\d{1,15}$/.test(text) ? Number(text) : text);
const given = (name: string, value: Json | undefined) => (value === undefined ? {} : { [name]: value });
const idOf = ({ path }: ApiArguments): Json => number(path.id!);

/** Jobs (docs/jobs.md). */
export const JOB_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/jobs',
    id: 'getJobs',
    tag: 'jobs',
    summary: 'Jobs, the newest first; before is the next of the page before',
    service,
    command: 'job-list',
    argument: ({ query: { before, limit, states } }) => ({
      ...given('before', before === undefined ? undefined : number(before)),
      ...given('limit', limit === undefined ? undefined : number(limit)),
      ...given('states', states?.split(',')),
    }),
    query: { ...QUERY, before: { type: 'integer' }, limit: { type: 'integer' }, states: { type: 'string' } },
    answer: JOB_LIST,
  },
  {
    method: 'POST',
    path: '/jobs',
    id: 'startJob',
    tag: 'jobs',
    summary: 'Starts a job; an equal one that waits is the same',
    service,
    command: 'job-start',
    argument: ({ body }) => body,
    query: QUERY,
    body: JOB_BODY,
    answer: JOB_STARTED,
    status: 202,
  },
  {
    method: 'GET',
    path: '/jobs/:id',
    id: 'getJob',
    tag: 'jobs',
    summary: 'A job; with log=true also the last 200 lines of its log',
    service,
    command: 'job-show',
    argument: (all) => ({
      id: idOf(all),
      ...given('log', all.query.log === undefined ? undefined : all.query.log === 'true'),
    }),
    query: { ...QUERY, log: { type: 'string', enum: ['true', 'false'] } },
    answer: JOB,
  },
  {
    method: 'DELETE',
    path: '/jobs/:id',
    id: 'cancelJob',
    tag: 'jobs',
    summary: 'Stops a job at its next slice; what it has done stays',
    service,
    command: 'job-cancel',
    argument: (all) => ({ id: idOf(all) }),
    query: QUERY,
    answer: JOB,
  },
];
