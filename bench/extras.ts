import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, hold, load } from './processes.ts';
import { KEYS_A_TURN } from './rows.ts';
import { type Setting, withServer } from './run.ts';
import { copyDatabase } from './seed.ts';
import { startPrivate } from './servers.ts';
import { median } from './statistics.ts';

/** A figure that is no rate, with its bar. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'MB' | 'ms' | 'clients' | '/s' | '%';
  readonly bar: number;
  /** Whether the bar is a least or a most. */
  readonly atLeast: boolean;
}

export const isMet = ({ value, bar, atLeast }: Figure) => (atLeast ? value >= bar : value <= bar);

const MB = 1e6;
const IDLE_CLIENTS = 5_000;
const LOAD_SECONDS = 8;
/** Several times what the cache holds. */
const MOST_KEYS = 1_000_000;
/** The time over which a server at rest is watched. */
const REST_SECONDS = 10;
/** After its last client: by then all that was written is in the file, and V8 has collected its garbage once (after 6 s, 70 ms of work). */
const SETTLING_MS = 10_000;
/** Start to listening on the machine of the notes, with up to a million hashes and with more. */
const START_BARS_MS = [320, 470] as const;
/** Later than the turns of all rows. */
const FULL_LOAD_TURN = 1_000;

/** Clients that are served at once when the server may have 1,024 files open. */
export async function clientsAtOnce(setting: Setting): Promise<Figure> {
  const held = await withServer(setting, (server) => holding(server.address, 1_000, (n) => n), { descriptors: 1_024 });
  return { name: 'clients at once, 1,024 open files', value: held, unit: 'clients', bar: 890, atLeast: true };
}

/** What the resident memory grows by when 5,000 idle clients connect. */
export async function idleMemory(setting: Setting): Promise<Figure> {
  const grown = await withServer(
    setting,
    async (server) => {
      // The unihashes it reads into memory are not theirs, nor is what the first connections load: so a little use first.
      await server.filled();
      await holding(server.address, 100, () => null);
      const before = server.residentBytes().now;
      return holding(server.address, IDLE_CLIENTS, (held) => {
        if (held < IDLE_CLIENTS) throw new Error(`only ${held} of ${IDLE_CLIENTS} idle clients were served`);
        return server.residentBytes().now - before;
      });
    },
    { extra: [`--max-connections=${IDLE_CLIENTS + 100}`], descriptors: 2 * IDLE_CLIENTS },
  );
  return { name: 'memory of 5,000 idle clients', value: grown / MB, unit: 'MB', bar: 60, atLeast: false };
}

async function holding<T>(address: string, count: number, use: (held: number) => T): Promise<T> {
  const clients = await hold(address, count);
  try {
    return use(clients.held);
  } finally {
    await clients.release();
  }
}

/** Peak resident memory while look-ups of up to a million keys, reports and get-prs arrive at once; and the time to `listening`. */
export async function fullLoad(setting: Setting): Promise<Figure[]> {
  const { hashes, scale } = setting;
  const seconds = LOAD_SECONDS * scale;
  const wide = { connections: 100, depth: 16 };
  const deep = { connections: 10, depth: 64 };
  // Key spaces that the time bound ends, not the counts; the generator holds the requests of all keys in memory.
  const asked = Math.min(hashes, MOST_KEYS);
  const loads = [
    { mode: 'get', shape: wide, offset: 0, keys: asked, requests: 20 * asked, seconds },
    {
      mode: 'report',
      shape: deep,
      offset: hashes + FULL_LOAD_TURN * KEYS_A_TURN,
      keys: 200_000,
      requests: 200_000,
      seconds,
    },
    { mode: 'getpr', shape: deep, offset: 0, keys: 200_000, requests: 200_000, seconds },
  ] as const;
  const [peak, startMs] = await withServer(setting, async (server) => {
    await server.filled();
    // By our generator: the C one knows no bound by time.
    await Promise.all(loads.map((each) => load(server.address, null, each)));
    return [server.residentBytes().peak, server.startMs];
  });
  return [
    { name: 'resident memory, full load', value: peak / MB, unit: 'MB', bar: 280, atLeast: false },
    {
      name: 'start to listening',
      value: startMs,
      unit: 'ms',
      bar: START_BARS_MS[hashes > 1e6 ? 1 : 0],
      atLeast: false,
    },
  ];
}

/**
 * What a private server does that nobody is connected to, in all its threads: after a client has stored something and
 * has asked for it, and has gone.
 */
export async function atRest({ folder, seeded, generator, hashes }: Setting): Promise<Figure[]> {
  const own = fs.mkdtempSync(path.join(folder, 'private-'));
  fs.mkdirSync(path.join(own, 'cache'));
  copyDatabase(seeded, path.join(own, 'cache', 'hashserv.db'));
  const server = await startPrivate(own);
  try {
    await server.filled();
    const few = { shape: { connections: 2, depth: 1 }, keys: 100, requests: 100 };
    await load(server.address, generator, { mode: 'report', offset: hashes, ...few });
    await load(server.address, generator, { mode: 'get', offset: hashes, ...few });
    await pause(SETTLING_MS);
    const before = server.work();
    const began = performance.now();
    await pause(REST_SECONDS * 1000);
    const after = server.work();
    const seconds = (performance.now() - began) / 1000;
    const share = (after.cpuMs - before.cpuMs) / 10 / seconds;
    return [
      {
        name: 'at rest: switches',
        value: (after.switches - before.switches) / seconds,
        unit: '/s',
        bar: 5,
        atLeast: false,
      },
      { name: 'at rest: share of a core', value: share, unit: '%', bar: 0.1, atLeast: false },
    ];
  } finally {
    await server.stop();
    fs.rmSync(own, { recursive: true, force: true });
  }
}

/** Processor time of `bakeserv serve --version`, the median of five. */
export async function versionCpu(): Promise<Figure> {
  const launcher = path.join(import.meta.dirname, '../dist/bin/launch.cjs');
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push(await cpuSeconds([process.execPath, launcher, 'serve', '--version']));
  return { name: 'processor time of --version', value: median(times) * 1000, unit: 'ms', bar: 150, atLeast: false };
}

export const EXTRAS: readonly { readonly name: string; measure(setting: Setting): Promise<Figure | Figure[]> }[] = [
  { name: 'clients at once', measure: clientsAtOnce },
  { name: 'idle clients memory', measure: idleMemory },
  { name: 'full load memory start listening', measure: fullLoad },
  { name: 'at rest switches', measure: atRest },
  { name: 'version cpu', measure: versionCpu },
];
