/**
 * What jobs do to clients: `npm run bench:jobs [-- KIND …] [--hashes N] [--seconds N] [--cache DIR]`. A server with N hashes and as many
 * reports runs each kind of job, one after the other, while ten clients ping it all the time, report and look up. `own` is the processor time of the
 * server's main thread while a ping waited: what the server itself makes it wait, whatever else the machine is busy with.
 */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Json } from '../lib/asyncrpc/wire/messages.ts';
import { askJobs } from '../lib/cli/process/control-client.ts';
import { controlFolder, controlSocket } from '../lib/cli/process/control-folder.ts';
import { type Seen, startClients } from './job-clients.ts';
import { hashOf, METHOD, UNIHASH } from './keys.ts';
import { copyDatabase } from './seed.ts';
import { startBakeserv } from './servers.ts';
import { SHARED_OPTIONS, withSetting } from './start.ts';
import { percentile } from './statistics.ts';

const CLIENTS = 10;
const LOOK_MS = 100;
const QUIET_MS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hashes: { type: 'string', default: '500000' },
    seconds: { type: 'string', default: '0' },
    cache: SHARED_OPTIONS.cache,
  },
});
const hashes = Number(values.hashes);
/** Longer ones are cancelled; 0: none is. */
const mostSeconds = Number(values.seconds) || Number.POSITIVE_INFINITY;

interface Job {
  readonly state: string;
  readonly error: string | null;
  readonly progress: { readonly done: number };
}

/** In an order in which each finds work: what is collected is imported again before it is removed. */
const jobsIn = (folder: string): readonly (readonly [kind: string, parameters: Json])[] => {
  const file = path.join(folder, 'rows.jsonl');
  return [
    ['check', { database: 'hashserv' }],
    ['backup', { folder: path.join(folder, 'backups'), database: 'hashserv' }],
    ['copy', { to: path.join(folder, 'copy.db'), hashes: true }],
    ['export-hashes', { file }],
    ['gc-mark', { mark: 'one', where: { unihash: hashOf(1, UNIHASH) } }],
    ['gc', { mark: 'one' }],
    ['import-hashes', { file }],
    ['clean-unused', { max_age_seconds: 0 }],
    ['remove-hashes', { where: { method: METHOD } }],
  ];
};

/** Kinds after which what was there from the start may not be. */
const REMOVING = ['gc', 'clean-unused', 'remove-hashes'];

async function measure(folder: string, seeded: string): Promise<void> {
  const database = path.join(folder, 'hash.db');
  copyDatabase(seeded, database);
  const server = await startBakeserv({ folder, database });
  const control = controlSocket(controlFolder(), server.pid);
  let isGone = false;
  try {
    await server.filled();
    const clients = startClients(
      server.address,
      CLIENTS,
      hashes,
      () => isGone,
      () => server.mainThreadMs(),
    );
    await pause(QUIET_MS);
    show('no job', clients.take(), null);
    for (const [kind, parameters] of jobsIn(folder)) {
      const isWanted = positionals.length === 0 || positionals.includes(kind);
      if (REMOVING.includes(kind)) isGone = true;
      clients.take();
      const began = performance.now();
      const job = await run(control, kind, parameters);
      const seconds = (performance.now() - began) / 1000;
      if (job.state !== 'done' && job.state !== 'cancelled') throw new Error(`${kind} ${job.state}: ${job.error}`);
      if (isWanted) show(kind, clients.take(), { done: job.progress.done, seconds });
    }
    await clients.stop();
  } finally {
    await server.stop();
  }
}

/** To its end, or to that of its time: only an export is needed whole by another. */
async function run(control: string, kind: string, parameters: Json): Promise<Job> {
  const { id } = (await askJobs(control, 'job-start', { kind, parameters })) as { id: number };
  const until = kind === 'export-hashes' ? Number.POSITIVE_INFINITY : performance.now() + mostSeconds * 1000;
  for (let isCancelled = false; ; ) {
    const job = (await askJobs(control, 'job-show', { id })) as unknown as Job;
    if (job.state !== 'waiting' && job.state !== 'running') return job;
    await pause(LOOK_MS);
    if (isCancelled || performance.now() < until) continue;
    isCancelled = true;
    // It may have ended by now.
    await askJobs(control, 'job-cancel', { id }).catch(() => {});
  }
}

const HEADINGS = [
  ...['job', 'seconds', 'done', 'pings', 'p50 ms', 'p99', 'max', 'own p50', 'own p99', 'own max'],
  ...['report p50', 'report p99', 'get p50', 'get p99', 'wrong'],
];

function show(
  kind: string,
  { pings, own, reports, gets, wrong }: Seen,
  work: { done: number; seconds: number } | null,
) {
  const ms = (list: readonly number[], share: number) => percentile(Float64Array.from(list).sort(), share).toFixed(1);
  const cells = [
    ...[kind, work?.seconds.toFixed(1) ?? '', work?.done.toLocaleString('en-US') ?? '', String(pings.length)],
    ...[pings, own].flatMap((list) => [ms(list, 0.5), ms(list, 0.99), ms(list, 1)]),
    ...[reports, gets].flatMap((list) => [ms(list, 0.5), ms(list, 0.99)]),
    String(wrong),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

process.stdout.write(`| ${HEADINGS.join(' | ')} |\n|${'---|'.repeat(HEADINGS.length)}\n`);
const start = { cache: values.cache, outhashes: true, hashes, oneCopy: false, generator: null, scale: 1, serve: [] };
await withSetting({ ...start, profile: false }, async ({ folder, seeded }, progress) => {
  progress.clear();
  await measure(folder, seeded);
});
