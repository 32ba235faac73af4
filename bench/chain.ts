/** `npm run bench:chain`: what a far-away upstream costs. See README.md here. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Client, connectClient } from '../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../lib/asyncrpc/transport/address.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const HERE = import.meta.dirname;
const PROTOCOL = { protocol: 'OEHASHEQUIV 1.1' };
const REPEATS = 3;

interface ChainFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'look-ups';
  readonly bar: number;
  readonly met: boolean;
}

const children: ChildProcess[] = [];
/** The line with which each said that it is ready. */
const said = new Map<ChildProcess, string>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-chain-'));
try {
  const upstream = await serve('up', ['--bind=127.0.0.1:0']);
  const tasks = Array.from({ length: 9000 }, (_, i) => `m ${i.toString(16).padStart(64, '0')}`);
  const seeder = await connectClient(upstream, PROTOCOL);
  await Promise.all(tasks.map((task) => seeder.invoke('report-equiv', equivalence(task))));
  const figures = [
    await misses('1,000 pipelined misses, upstream 10 ms each way', tasks.slice(0, 1000), 10, 0.25),
    await misses('9,000 pipelined misses, upstream 50 ms each way', tasks, 50, 1.5),
    await shared(tasks.slice(0, 1000), seeder),
  ];
  seeder.close();
  if (values.json) process.stdout.write(`${JSON.stringify({ figures })}\n`);
  else for (const each of figures) process.stdout.write(`${line(each)}\n`);

  /** The median time until a new server with an empty database has answered all of them. */
  async function misses(name: string, asked: readonly string[], ms: number, bar: number): Promise<ChainFigure> {
    const times: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const seconds = await withChain(`${ms}-${i}`, ms, async (client) => {
        // The connection to the upstream stands, as it does in a server that has been running.
        await client.stream('get-stream', ['m none']);
        const began = performance.now();
        const answers = await client.stream('get-stream', asked);
        // The upstream has every task's own hash as its unihash.
        const wrong = answers.filter((answer, i) => answer !== asked[i]!.split(' ')[1]).length;
        if (wrong > 0)
          throw new Error(`${name}: ${wrong} of ${answers.length} look-ups were not answered, or with another's`);
        return (performance.now() - began) / 1000;
      });
      times.push(seconds);
    }
    const value = times.sort((a, b) => a - b)[times.length >> 1]!;
    return { name, value, unit: 's', bar, met: value <= bar };
  }

  /** How many look-ups 50 clients with the same tasks cause upstream. */
  async function shared(asked: readonly string[], up: Client): Promise<ChainFigure> {
    const count = async () => ((await up.invoke('get-stats', null)) as { requests: { num: number } }).requests.num;
    const value = await withChain('shared', 10, async (_, address) => {
      const clients = await Promise.all(Array.from({ length: 50 }, () => connectClient(address, PROTOCOL)));
      const before = await count();
      await Promise.all(clients.map((client) => client.stream('get-stream', asked)));
      const after = await count();
      for (const client of clients) client.close();
      // One of them is ours: the first get-stats counts itself afterwards.
      return after - before - 1;
    });
    const name = 'look-ups upstream for 50 clients with the same 1,000';
    return { name, value, unit: 'look-ups', bar: 1100, met: value <= 1100 };
  }

  async function withChain<T>(
    name: string,
    ms: number,
    use: (client: Client, address: Awaited<ReturnType<typeof serve>>) => Promise<T>,
  ): Promise<T> {
    const port = await freePort();
    const target = 'port' in upstream ? upstream.port : 0;
    const proxy = await start([path.join(HERE, 'delayproxy.mjs'), String(port), String(target), String(ms)], 'ready');
    const socket = path.join(folder, `${name}.sock`);
    const address = await serve(name, [`--bind=unix://${socket}`, `--hashserv-upstream=127.0.0.1:${port}`]);
    const server = children.at(-1)!;
    const client = await connectClient(address, PROTOCOL);
    try {
      return await use(client, address);
    } finally {
      client.close();
      proxy.kill();
      server.kill();
    }
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
}

function equivalence(task: string) {
  const [method, taskhash] = task.split(' ') as [string, string];
  return { method, taskhash, unihash: taskhash };
}

function line({ name, value, unit, bar, met }: ChainFigure): string {
  const text = unit === 's' ? `${value.toFixed(3)} s` : `${value} ${unit}`;
  return `${name.padEnd(54)} ${text.padStart(14)}   at most ${bar}: ${met ? 'met' : 'missed'}`;
}

async function serve(name: string, extra: readonly string[]) {
  const database = `--hashserv-db=${path.join(folder, name)}.db`;
  const server = ['../dist/bin/launch.cjs', 'serve', '--no-prserv', '--log-level=warn', database, ...extra];
  const child = await start([path.join(HERE, server[0]!), ...server.slice(1)], 'listening ');
  return parseAddress(said.get(child)!.slice('listening '.length));
}

/** Starts a Node program; resolves once it prints a line that begins with `sign`. */
async function start(args: readonly string[], sign: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const text of createInterface({ input: child.stdout })) {
    if (!text.startsWith(sign)) continue;
    said.set(child, text);
    return child;
  }
  throw new Error(`${args.join(' ')} did not start`);
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
