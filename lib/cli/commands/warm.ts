import type { Client } from '../../asyncrpc/client/client.ts';
import { parseAddress } from '../../asyncrpc/transport/address.ts';
import { InvokeError } from '../../errors.ts';
import { connectHashClient } from '../../hashserv/client.ts';
import { environmentName } from '../../settings/options.ts';
import type { Flags } from '../../settings/settings.ts';
import { UsageError } from '../args/usage-error.ts';
import { createProgress } from '../client/progress.ts';
import type { ServerCall } from './call.ts';
import { type TaskSource, tasksOfDatabase, tasksOfFile } from './warm-tasks.ts';

/** What get-stats also reports when the server is bakeserv and has an upstream. */
type UpstreamStats = { readonly [key in 'unanswered' | 'backfill_stored' | 'backfill_dropped']?: number };

/** `bakeserv warm`: asks a server for tasks, so that it fetches those it does not have from its upstream. */
export async function run({ args, flags }: ServerCall): Promise<number> {
  const text = (name: string) => textOf(flags, name);
  const trust = {
    caFile: text('ca') ?? null,
    certFile: text('upstream-tls-cert') ?? null,
    keyFile: text('upstream-tls-key') ?? null,
  };
  const address = parseAddress(text('address') ?? 'unix://./hashserve.sock');
  const username = text('user');
  const login = username === undefined ? undefined : { username, token: text('token') ?? '' };
  const source = await openSource(args.text('FILE'), text('from-db'));
  try {
    const client = await connectHashClient(address, { login, ...trust });
    try {
      return await warm(client, source, flags.json === true);
    } finally {
      client.close();
    }
  } finally {
    await source.close();
  }
}

async function warm(client: Client, source: TaskSource, json: boolean): Promise<number> {
  const before = await upstreamStats(client);
  if (!before) process.stderr.write('bakeserv: the server does not report an upstream\n');
  const progress = await createProgress('tasks', source.total);
  let tasks = 0;
  let known = 0;
  try {
    for await (const group of source.groups()) {
      if (group.length === 0) continue;
      for (const unihash of await client.stream('get-stream', group)) if (unihash !== '') known++;
      // Wait after each group: what does not fit into the server's queue would not be stored.
      await client.invoke('backfill-wait', null);
      tasks += group.length;
      progress.add(group.length);
    }
  } finally {
    progress.stop();
  }
  const after = await upstreamStats(client);
  const grown = (key: keyof UpstreamStats) => (after?.[key] ?? 0) - (before?.[key] ?? 0);
  const result = { tasks, known, unknown: tasks - known, fetched: grown('backfill_stored') };
  const said = `${tasks} tasks: ${known} known, of them ${result.fetched} fetched; ${result.unknown} unknown`;
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${said}\n`);
  const unanswered = grown('unanswered');
  const dropped = grown('backfill_dropped');
  if (unanswered > 0) throw new InvokeError(`the upstream left ${unanswered} look-ups unanswered: run it again`);
  if (dropped > 0) throw new InvokeError(`the server could not keep ${dropped} answers: run it again`);
  return 0;
}

async function upstreamStats(client: Client): Promise<UpstreamStats | null> {
  const stats = (await client.invoke('get-stats', null)) as { upstream?: UpstreamStats } | null;
  return stats?.upstream ?? null;
}

async function openSource(file: string | undefined, database: string | undefined): Promise<TaskSource> {
  if (database !== undefined) {
    if (file !== undefined) throw new UsageError('FILE and --from-db exclude each other');
    return tasksOfDatabase(database);
  }
  if (file === undefined && process.stdin.isTTY) throw new UsageError('name a FILE, or --from-db, or send lines to it');
  return tasksOfFile(file ?? '-');
}

/** The value of a flag, otherwise of its environment variable. */
function textOf(flags: Flags, name: string): string | undefined {
  const given = flags[name];
  if (Array.isArray(given)) throw new UsageError(`--${name} is given ${given.length} times; once was expected`);
  const text = given ?? process.env[environmentName(name)];
  return text === undefined || text === '' ? undefined : String(text);
}
