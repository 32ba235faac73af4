import { parseAddress } from '../asyncrpc/address.ts';
import type { Client } from '../asyncrpc/client.ts';
import { InvokeError } from '../errors.ts';
import { connectHashClient } from '../hashserv/client.ts';
import { environmentName, type Option } from '../options.ts';
import type { Flags } from '../settings/settings.ts';
import { createProgress } from './client/progress.ts';
import { UsageError } from './main.ts';
import { parseFlags } from './options.ts';
import { type TaskSource, tasksOfDatabase, tasksOfFile } from './warm/tasks.ts';

const option = (name: string, describe: string, more: Partial<Option> = {}): Option => ({
  name,
  type: 'string',
  default: undefined,
  describe,
  group: 'Options',
  ...more,
});

export const WARM_OPTIONS: readonly Option[] = [
  option('address', 'The server that is to fetch: unix://PATH, HOST:PORT or ws://HOST:PORT', {
    default: 'unix://./hashserve.sock',
  }),
  option('from-db', 'Instead of FILE: all tasks of this hash equivalence database'),
  option('user', 'Log in as this user'),
  option('token', 'With this token; better in the environment', { secret: true }),
  option('ca', 'PEM file of certificate authorities to trust for wss://'),
  option('json', 'Print the result as a JSON object', { type: 'boolean', default: false }),
];

const EXAMPLES = [
  ['bakeserv warm tasks.txt', 'lines "method taskhash" of a file'],
  ['bakeserv warm --from-db old/hashserv.db --address build1:8686', 'everything another database knows'],
] as const;

/** What the server's get-stats says beside the times, where it is ours and has an upstream. */
type UpstreamStats = { readonly [key in 'unanswered' | 'backfill_stored' | 'backfill_dropped']?: number };

/** `bakeserv warm`: asks a server for tasks, so that it fetches from its upstream those it misses. */
export async function run(args: readonly string[]): Promise<number> {
  const usage =
    'bakeserv warm [FILE] [options]\n\nHas a server fetch from its upstream what it misses of the tasks in FILE (lines "method taskhash"; standard input without it).';
  const flags = await parseFlags(usage, WARM_OPTIONS, args, EXAMPLES, 'file');
  if (!flags) return 0;
  const text = (name: string) => textOf(flags, name);
  const source = await openSource(text('file'), text('from-db'));
  const caFile = text('ca');
  const address = parseAddress(text('address') ?? 'unix://./hashserve.sock');
  const username = text('user');
  const login = username === undefined ? undefined : { username, token: text('token') ?? '' };
  const client = await connectHashClient(address, { login, ...(caFile && { caFile }) });
  try {
    return await warm(client, source, flags.json === true);
  } finally {
    client.close();
  }
}

async function warm(client: Client, source: TaskSource, json: boolean): Promise<number> {
  const before = await upstreamStats(client);
  if (!before) process.stderr.write('bakeserv: the server does not say that it has an upstream\n');
  const progress = await createProgress('tasks', source.total);
  let tasks = 0;
  let known = 0;
  try {
    for await (const group of source.groups()) {
      if (group.length === 0) continue;
      for (const unihash of await client.stream('get-stream', group)) if (unihash !== '') known++;
      // Waited for with each group: what does not fit into the server's queue would not be kept.
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

/** A flag over the environment. */
function textOf(flags: Flags, name: string): string | undefined {
  const given = flags[name];
  if (Array.isArray(given)) throw new UsageError(`--${name} is given ${given.length} times; once was expected`);
  const text = given ?? (name === 'file' ? undefined : process.env[environmentName(name)]);
  return text === undefined || text === '' ? undefined : String(text);
}
