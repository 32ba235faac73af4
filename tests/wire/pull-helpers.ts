import assert from 'node:assert/strict';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import type { JobCaller } from '../../lib/jobs/jobs.ts';
import { hash, METHOD, type Served, serve, UNIX, type WireClient } from './helpers.ts';

type Running = Parameters<typeof serve>[0];

/** The user that a server runs as, on its machine. */
export const OWNER: JobCaller = { user: null, address: 'control', access: 'owner', readOnly: false };

export interface PullJob {
  readonly state: string;
  readonly error: string | null;
  readonly result: {
    readonly prs: { readonly [key: string]: Json } | null;
    readonly hashes: {
      readonly unihashes: { readonly [count: string]: number };
      readonly outhashes: { readonly [count: string]: number };
      readonly read: number;
    } | null;
  };
  readonly log: readonly string[];
}

/** Has a server pull, and resolves to the job once it has ended. */
export const pull = (target: Served, parameters: { readonly [name: string]: Json }): Promise<PullJob> =>
  runJob(target, 'pull', parameters);

/** Starts a job of a server, and resolves to it once it has ended. */
export async function runJob<Job extends { readonly state: string }>(
  { app }: Served,
  kind: string,
  parameters: { readonly [name: string]: Json },
): Promise<Job> {
  const { id } = await app.jobs.start(OWNER, kind, parameters);
  for (;;) {
    const job = (await app.jobs.show(OWNER, id, true)) as unknown as Job;
    if (job.state !== 'waiting' && job.state !== 'running') return job;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** As `pull`, and it must have come to its end. */
export async function pulled(
  target: Served,
  parameters: { readonly [name: string]: Json },
): Promise<PullJob['result']> {
  const job = await pull(target, parameters);
  assert.equal(job.state, 'done', job.error ?? '');
  return job.result;
}

export interface Source extends Served {
  readonly address: string;
  readonly hashes: WireClient;
  readonly prs: WireClient;
}

/** A server that others can reach. */
export async function serveSource(t: Running, options: Parameters<typeof serve>[1] = {}): Promise<Source> {
  const served = await serve(t, { transport: UNIX, ...options });
  const [hashes, prs] = [served.connect(), served.connect('PRSERVICE 1.0')];
  return { ...served, address: `unix://${served.folder}/s`, hashes, prs };
}

export const reportOf = (n: number, PN = 'busybox') => ({
  method: METHOD,
  taskhash: hash(n),
  outhash: hash(n + 10_000),
  unihash: hash(n + 20_000),
  ...{ PN, PV: '1.0', PR: 'r0', task: 'do_compile' },
});

/** The value that a server gives to a checksum. */
export async function getPr(prs: WireClient, version: string, checksum: string, history = false): Promise<string> {
  const reply = await prs.ask('get-pr', { version, pkgarch: 'core2-64', checksum, history });
  return (reply as { value: string }).value;
}

/** Every PR row, as `version checksum value`. */
export async function valuesOf(prs: WireClient): Promise<string[]> {
  const reply = (await prs.ask('export', { history: true })) as unknown as {
    datainfo: { version: string; checksum: string; value: string }[];
  };
  return reply.datainfo.map(({ version, checksum, value }) => `${version} ${checksum} ${value}`);
}
