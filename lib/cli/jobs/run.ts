import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { printable } from '../../errors.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { createOut } from '../client/out.ts';
import { createProgress } from '../client/progress.ts';
import type { ServerCall } from '../commands/call.ts';
import { untilAnswered } from '../publish/job.ts';
import { waitOrLeave } from '../publish/leave.ts';
import { connectJobServer, type JobServer } from './ask.ts';
import { readParameters, withAdvice } from './parameters.ts';
import { describeJob, isOver, type ListedJob, lineOf, type ShownJob } from './show.ts';

/** How often a job is looked at that is waited for: at first, and at most. */
const LOOK_MS = 100;
const MOST_MS = 1000;

/** `bakeserv jobs ACTION …`. */
export async function run(call: ServerCall): Promise<number> {
  const { args } = call;
  const action = args.need('ACTION');
  const words = args.list('WHAT');
  const server = await connectJobServer(call);
  try {
    return await ACTIONS[action]!(server, words, call);
  } finally {
    server.close();
  }
}

type Action = (server: JobServer, words: readonly string[], call: ServerCall) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  async list(server, words, { args }) {
    if (words.length > 0) throw new UsageError('jobs list takes no ID: jobs show ID shows a job');
    const states = args.text('states')?.split(',');
    const limit = args.number('limit', 20);
    const before = args.has('before') ? args.number('before', 0) : null;
    const page = (await server.ask('job-list', { limit, before, ...(states && { states }) })) as unknown as {
      jobs: readonly ListedJob[];
      next: number | null;
    };
    if (args.has('json')) print(`${JSON.stringify(page, null, 2)}\n`);
    else print(page.jobs.map((job) => `${lineOf(job)}\n`).join('') || 'no jobs\n');
    if (page.next !== null) createOut(false).note(`bakeserv: there are older ones: --before ${page.next}`);
    return 0;
  },

  async show(server, words, { args }) {
    print(tell(await look(server, idOf('show', words)), args.has('json')));
    return 0;
  },

  async log(server, words, { args }) {
    const { log = [] } = await look(server, idOf('log', words), true);
    print(args.has('json') ? `${JSON.stringify(log, null, 2)}\n` : log.map((line) => `${printable(line)}\n`).join(''));
    return 0;
  },

  async cancel(server, words, { args }) {
    const id = idOf('cancel', words);
    await server.ask('job-cancel', { id });
    const job = await untilOver(server, id);
    print(tell(job, args.has('json')));
    return job.state === 'cancelled' ? 0 : 1;
  },

  wait: (server, words, { args }) => waitFor(server, idOf('wait', words), args),

  async start(server, [kind, ...words], { args }) {
    if (kind === undefined) throw new UsageError('jobs start: name the kind of job (docs/jobs.md has them)');
    const parameters = readParameters(words, server.isHere);
    const started = await server.ask('job-start', { kind, parameters }).catch((error: unknown): never => {
      throw withAdvice(error, parameters);
    });
    const { id, joined } = started as { id: number; joined: boolean };
    if (args.has('wait')) return waitFor(server, id, args);
    if (args.has('json')) print(`${JSON.stringify(started)}\n`);
    else print(`job ${id}${joined ? ' (it waited already)' : ''}\n`);
    return 0;
  },
};

/** With a bar on a terminal. The status is 0 for a job that was done. */
async function waitFor(server: JobServer, id: number, args: Args): Promise<number> {
  const json = args.has('json');
  const { progress } = await look(server, id);
  const bar = await createProgress(progress.unit ?? 'steps', progress.total ?? 0);
  let shown = 0;
  try {
    const job = await waitOrLeave(id, { options: serverOf(args), json }, () =>
      untilOver(server, id, ({ progress: { done, total } }) => {
        if (total !== null) bar.setTotal(total);
        bar.add(done - shown);
        shown = done;
      }),
    );
    bar.stop();
    print(tell(job, json));
    return job.state === 'done' ? 0 : 1;
  } finally {
    bar.stop();
  }
}

/** The options that name the server, and whom to log in as; no token. */
function serverOf(args: Args): string[] {
  const names = ['pid', 'dir', 'socket', 'address', 'login', 'ca'].filter((name) => args.has(name));
  const service = args.has('address') && args.text('service') === 'prserv' ? ['--service', 'prserv'] : [];
  return [...names.flatMap((name) => [`--${name}`, args.text(name)!]), ...service];
}

async function untilOver(server: JobServer, id: number, onLook?: (job: ShownJob) => void): Promise<ShownJob> {
  for (let waitMs = LOOK_MS; ; waitMs = Math.min(MOST_MS, waitMs * 1.2)) {
    const job = await look(server, id);
    onLook?.(job);
    if (isOver(job)) return job;
    await pause(waitMs);
  }
}

async function look(server: JobServer, id: number, log = false): Promise<ShownJob> {
  return (await untilAnswered(() => server.ask('job-show', { id, log }))) as unknown as ShownJob;
}

function idOf(action: string, words: readonly string[]): number {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0 || !/^\d{1,15}$/.test(word))
    throw new UsageError(`jobs ${action} takes the ID of one job: bakeserv jobs list shows them`);
  return Number(word);
}

const tell = (job: ShownJob, json: boolean) =>
  json
    ? `${JSON.stringify(job as unknown as Json, null, 2)}\n`
    : describeJob(job)
        .map((line) => `${line}\n`)
        .join('');

const print = (text: string) => void process.stdout.write(text);
