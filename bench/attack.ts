/**
 * What one attacker does to its neighbours: `npm run bench:attack [-- NAME …] [--seconds N]`. For each attack a fresh
 * server, an attacker in a process of its own on 127.0.0.2, and on 127.0.0.3 a neighbour that pings 200 times a second
 * and now and then reports and asks for what it reported. Shown are the neighbour's times, what was refused to it, and
 * the memory of the server at its highest. `own` is the processor time of the server's main thread while a ping waited:
 * what the server itself makes it wait, whatever else the machine is busy with. The first row is one without an attack.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ATTACKS } from './attackers.ts';
import { startBakeserv } from './servers.ts';
import { percentile } from './statistics.ts';

const HERE = import.meta.dirname;
const words = process.argv.slice(2);
const at = words.indexOf('--seconds');
const seconds = at < 0 ? 8 : Number(words[at + 1]);
const wanted = words.filter((word, i) => !word.startsWith('--') && (at < 0 || i !== at + 1));
const unknown = wanted.filter((word) => !(word in ATTACKS));
if (unknown.length > 0) {
  process.stderr.write(`no attack called ${unknown.join(', ')}; there are: ${Object.keys(ATTACKS).join(' | ')}\n`);
  process.exit(2);
}

interface Seen {
  readonly pings: number[];
  readonly reports: number[];
  /** What the server's main thread worked while each ping waited. */
  readonly own: number[];
  wrong: number;
}

const hex = (n: number) => n.toString(16).padStart(64, 'f');

/** A client of the line protocol that keeps one request in flight and compares each answer. */
async function neighbour(port: number, until: number, worked: () => number): Promise<Seen> {
  const seen: Seen = { pings: [], reports: [], own: [], wrong: 0 };
  let answer: (line: string) => void = () => {};
  let socket: net.Socket | null = null;
  const open = () => {
    let held = '';
    socket = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3', noDelay: true });
    socket.on('error', () => {});
    socket.on('close', () => answer('closed'));
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
        answer(held.slice(0, end));
        held = held.slice(end + 1);
      }
    });
    socket.write('OEHASHEQUIV 1.1\n\n');
  };
  const ask = async (times: number[], command: string, argument: object, good: RegExp) => {
    if (!socket || socket.destroyed) open();
    const began = performance.now();
    const line = await new Promise<string>((resolve) => {
      const limit = setTimeout(() => resolve('late'), 30_000);
      answer = (text) => {
        clearTimeout(limit);
        resolve(text);
      };
      socket!.write(`${JSON.stringify({ [command]: argument })}\n`);
    });
    times.push(performance.now() - began);
    if (!good.test(line)) seen.wrong++;
  };
  for (let n = 1; performance.now() < until; n++) {
    const before = worked();
    await ask(seen.pings, 'ping', {}, /^\{"alive": true\}$/);
    seen.own.push(worked() - before);
    if (n % 20 === 0) {
      const key = { method: 'neighbour', taskhash: hex(n) };
      await ask(seen.reports, 'report', { ...key, outhash: hex(n), unihash: hex(n) }, new RegExp(hex(n)));
      await ask(seen.reports, 'get', key, new RegExp(`"unihash": "${hex(n)}"`));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  socket!.destroy();
  return seen;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** A package of 10,000 checksums and one of few, in the file before the server has it. */
async function seedPackages(port: number): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.write('PRSERVICE 1.0\n\n');
  let answers = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      for (const byte of chunk) if (byte === 0x0a) answers++;
      if (answers >= 10_000) resolve();
    });
    for (let n = 0; n < 10_000; n++)
      socket.write(
        `${JSON.stringify({ 'get-pr': { version: 'big-1-r0', pkgarch: 'x', checksum: n.toString(16).padStart(64, '0'), history: false } })}\n`,
      );
  });
  socket.destroy();
}

async function measure(name: string): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-attack-'));
  const [port, webSocketPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const database = path.join(folder, 'hash.db');
  const server = await startBakeserv({
    folder,
    database,
    extra: [
      `--bind=127.0.0.1:${port}`,
      `--bind=ws://127.0.0.1:${webSocketPort}`,
      `--bind=http://127.0.0.1:${httpPort}`,
    ],
  });
  try {
    if (name.includes('package') || name.includes('-pr')) await seedPackages(port);
    const attacker = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        path.join(HERE, 'attackers.ts'),
        name,
        String(port),
        String(webSocketPort),
        String(seconds),
        String(httpPort),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const over = new Promise((resolve) => attacker.once('exit', resolve));
    const seen = await neighbour(port, performance.now() + seconds * 1000, () => server.mainThreadMs());
    attacker.kill('SIGKILL');
    await over;
    const ms = (list: number[], share: number) => percentile(Float64Array.from(list).sort(), share).toFixed(1);
    return [
      name,
      String(seen.pings.length),
      ms(seen.pings, 0.5),
      ms(seen.pings, 0.99),
      ms(seen.pings, 1),
      ms(seen.own, 0.99),
      ms(seen.own, 1),
      ms(seen.reports, 0.5),
      ms(seen.reports, 1),
      String(seen.wrong),
      (server.residentBytes().peak / 1e6).toFixed(0),
    ];
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const HEADINGS = [
  'attack',
  'pings',
  'p50 ms',
  'p99 ms',
  'max',
  'own p99',
  'max',
  'report p50',
  'max',
  'wrong',
  'RSS MB',
];
process.stdout.write(`| ${HEADINGS.join(' | ')} |\n|${'---|'.repeat(HEADINGS.length)}\n`);
for (const name of wanted.length > 0 ? wanted : Object.keys(ATTACKS))
  process.stdout.write(`| ${(await measure(name)).join(' | ')} |\n`);
