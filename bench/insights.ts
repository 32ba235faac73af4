/** `npm run bench:insights`: what each insight costs on a million rows, and those who use the server meanwhile. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectClient } from '../lib/asyncrpc/client/client.ts';
import type { Json } from '../lib/asyncrpc/wire/messages.ts';
import { askJobs } from '../lib/cli/process/control-client.ts';
import { controlFolder, controlSocket } from '../lib/cli/process/control-folder.ts';
import { farmDatabase, farmPrDatabase, farmSharedState } from './farm.ts';
import { describeMachine, tellMachine } from './machine.ts';
import { cpuSeconds } from './processes.ts';
import { createProgress } from './progress.ts';
import { copyDatabase } from './seed.ts';
import { type Server, startBakeserv } from './servers.ts';
import { runFolder, SHARED_OPTIONS } from './start.ts';
import { median, percentile } from './statistics.ts';

const USAGE = `npm run bench:insights -- [options] [NAME …] [-- options of bakeserv serve]
  NAME           unstable, equivalences, age, churn, shared-state (the job), client (shared-state where the client runs) [all]
  --rows N       unihashes, reports, PR values and shared-state objects [1000000]
  --repeats N    how often each is measured, in turn; medians are shown [1]
  --against DIR  another checkout, built, that is measured in turn with this one
  --cpu-prof DIR where the server writes a profile
  --cache DIR    where databases and shared state are kept, and copies made [.bench-cache]
  --json         one JSON object on stdout instead of the table
`;

/** The bar, for a million rows. */
const BAR_SECONDS = 5;
const PING_EVERY_MS = 5;
const HASH_PROTOCOL = { protocol: 'OEHASHEQUIV 1.1' };
const PR_PROTOCOL = { protocol: 'PRSERVICE 1.0' };
const NAMES = ['unstable', 'equivalences', 'age', 'churn', 'shared-state', 'client'] as const;
type Name = (typeof NAMES)[number];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '1' },
    against: { type: 'string' },
    'cpu-prof': { type: 'string' },
    cache: SHARED_OPTIONS.cache,
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
});
const rows = Number(values.rows);
const names = NAMES.filter((name) => positionals.length === 0 || positionals.includes(name));

interface Measured {
  readonly build: string;
  readonly name: Name;
  readonly seconds: number;
  /** Of all threads of the server, and of the client where that does a part. */
  readonly serverCpu: number;
  /** The part of the main thread, for which all others wait. */
  readonly mainCpu: number;
  readonly clientCpu: number;
  /** Resident memory of the server at its highest, above that before. */
  readonly grewMb: number;
  readonly pingP99Ms: number;
  readonly pingMaxMs: number;
}

interface Site {
  readonly root: string;
  readonly folder: string;
  readonly hashes: string;
  readonly prs: string;
  readonly sharedState: string | null;
}

/** Asks, or has it done, and throws when the answer is not about all rows. */
const WAYS: Readonly<Record<Name, (site: Site, server: Server) => Promise<number>>> = {
  unstable: (_, server) => ask(server, HASH_PROTOCOL, 'unstable', ({ total }) => total.tasks > 0),
  equivalences: (_, server) => ask(server, HASH_PROTOCOL, 'equivalences', ({ total }) => total.found > 0),
  age: (_, server) => ask(server, HASH_PROTOCOL, 'age', ({ tables }) => tables[1].rows === rows),
  churn: (_, server) => ask(server, PR_PROTOCOL, 'churn', (found) => found.values === rows),
  async 'shared-state'(_, { pid }) {
    const control = controlSocket(controlFolder(), pid);
    const { id } = (await askJobs(control, 'job-start', { kind: 'shared-state', parameters: {} })) as { id: number };
    for (;;) {
      const job = (await askJobs(control, 'job-show', { id })) as unknown as { state: string; error: string | null };
      if (job.state === 'done') return 0;
      if (job.state !== 'waiting' && job.state !== 'running')
        throw new Error(`shared-state ${job.state}: ${job.error}`);
      await pause(50);
    }
  },
  client({ root, sharedState }, { address }) {
    const program = path.join(root, 'dist/bin/bakeserv-hashclient.js');
    const options = ['--address', address.replace(/^unix:/, 'unix://'), '--json', '--cache', 'none'];
    const command = [program, 'insights', 'shared-state', '--sstate-dir', sharedState!, ...options];
    return cpuSeconds([process.execPath, ...command]);
  },
};

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes, of which one figure is looked at
type Found = any;

async function ask(server: Server, protocol: typeof HASH_PROTOCOL, name: string, isWhole: (found: Found) => boolean) {
  const client = await connectClient(server.address.replace(/^unix:/, 'unix://'), protocol);
  try {
    const argument: Json = name === 'age' ? { max_age_seconds: 365 * 86_400 } : {};
    const found = await client.invoke(`insight-${name}`, argument);
    if (!isWhole(found))
      throw new Error(`insight-${name} does not tell of all rows: ${JSON.stringify(found).slice(0, 500)}`);
    return 0;
  } finally {
    client.close();
  }
}

/** Pings until it is told to end; resolves to the times. */
async function pings({ address }: Server): Promise<() => Promise<number[]>> {
  const client = await connectClient(address.replace(/^unix:/, 'unix://'), HASH_PROTOCOL);
  const times: number[] = [];
  let goesOn = true;
  const pinging = (async () => {
    while (goesOn) {
      const began = performance.now();
      await client.invoke('ping', {});
      times.push(performance.now() - began);
      await pause(PING_EVERY_MS);
    }
  })();
  return async () => {
    goesOn = false;
    await pinging;
    client.close();
    return times.sort((a, b) => a - b);
  };
}

/** Each on a new server, which has read its unihashes into memory. */
async function measure(build: string, name: Name, site: Site): Promise<Measured> {
  const folder = fs.mkdtempSync(path.join(site.folder, 'server-'));
  const own = ['--insight-cache=0', `--jobs-db=${path.join(folder, 'jobs.db')}`];
  const place = site.sharedState ? [`--sstate-dir=${site.sharedState}`] : [];
  const server = await startBakeserv({
    folder,
    database: site.hashes,
    prDatabase: site.prs,
    launcher: path.join(site.root, 'dist/bin/launch.cjs'),
    extra: [...own, ...place, ...serveOptions],
    ...(values['cpu-prof'] && { profileFolder: values['cpu-prof'] }),
  });
  try {
    await server.filled();
    // The highest it has been is forgotten.
    fs.writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
    const before = { cpuMs: server.work().cpuMs, mainMs: server.mainThreadMs(), resident: server.residentBytes().now };
    const end = await pings(server);
    const began = performance.now();
    const clientCpu = await WAYS[name](site, server);
    const seconds = (performance.now() - began) / 1000;
    const times = await end();
    return {
      ...{ build, name, seconds, clientCpu },
      serverCpu: (server.work().cpuMs - before.cpuMs) / 1000,
      mainCpu: (server.mainThreadMs() - before.mainMs) / 1000,
      grewMb: (server.residentBytes().peak - before.resident) / 1e6,
      pingP99Ms: percentile(times, 0.99),
      pingMaxMs: times.at(-1)!,
    };
  } finally {
    await server.stop();
  }
}

function shown(all: readonly Measured[]): string {
  const headings = [
    'insight',
    'build',
    's',
    'server CPU s',
    'main thread',
    'client CPU s',
    'RSS +MB',
    'ping p99 ms',
    'max',
    'bar',
  ];
  const lines = builds.flatMap(([build]) =>
    names.map((name) => all.filter((one) => one.build === build && one.name === name)),
  );
  const cells = lines.map((of) => {
    const middle = (part: (one: Measured) => number) => median(of.map(part));
    const cpu = middle(({ serverCpu, clientCpu }) => serverCpu + clientCpu);
    const client = middle(({ clientCpu }) => clientCpu);
    return [
      ...[of[0]!.name, of[0]!.build, middle(({ seconds }) => seconds).toFixed(1)],
      ...[middle(({ serverCpu }) => serverCpu).toFixed(1), middle(({ mainCpu }) => mainCpu).toFixed(1)],
      client > 0 ? client.toFixed(1) : '',
      ...[middle(({ grewMb }) => grewMb).toFixed(0), middle(({ pingP99Ms }) => pingP99Ms).toFixed(1)],
      ...[middle(({ pingMaxMs }) => pingMaxMs).toFixed(0), cpu <= (BAR_SECONDS * rows) / 1e6 ? 'met' : 'not met'],
    ];
  });
  return [headings, headings.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |\n`).join('');
}

const afterDashes = process.argv.indexOf('--', 2);
const serveOptions = afterDashes < 0 ? [] : process.argv.slice(afterDashes + 1);
const builds: readonly (readonly [name: string, root: string])[] = [
  ['this', path.join(import.meta.dirname, '..')],
  ...(values.against ? [['against', path.resolve(values.against)] as const] : []),
];

if (values.help) process.stdout.write(USAGE);
else {
  const progress = createProgress();
  const told = (what: string) => (done: number, total: number) => progress.show(done, total, `${what} ${done}`);
  const needsShared = names.includes('shared-state') || names.includes('client');
  const from = {
    hashes: await farmDatabase(values.cache, rows, told('seeding reports')),
    prs: await farmPrDatabase(values.cache, rows),
    sharedState: needsShared ? await farmSharedState(values.cache, rows, told('making objects')) : null,
  };
  const folder = runFolder(values.cache);
  const site = { ...from, folder, hashes: path.join(folder, 'hash.db'), prs: path.join(folder, 'pr.db') };
  copyDatabase(from.hashes, site.hashes);
  copyDatabase(from.prs, site.prs);
  const all: Measured[] = [];
  for (let repeat = 0; repeat < Number(values.repeats); repeat++)
    for (const name of names)
      for (const [build, root] of builds) {
        progress.show(all.length, Number(values.repeats) * names.length * builds.length, `${name} (${build})`);
        all.push(await measure(build, name, { ...site, root }));
      }
  progress.clear();
  const machine = describeMachine(folder);
  process.stdout.write(
    values.json ? `${JSON.stringify({ rows, measured: all, machine })}\n` : `${shown(all)}\n${tellMachine(machine)}\n`,
  );
}
