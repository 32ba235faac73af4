/**
 * What people who look at the page cost builds: `npm run bench:page [-- --visitors 10] [--repeats 7] [--seconds 4] [--browser] [--json]`.
 * A server under full load, in turn without visitors and with them on the overview, which asks again and again. Visitors are
 * the requests that the page makes, from this process; with `--browser` they are tabs of Debian's Chromium, which takes more of
 * the machine than they do of the server: on two cores it is the browser that is measured then. See README.md here.
 */
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { LoadResult } from './generator.ts';
import { load } from './processes.ts';
import type { Mode } from './requests.ts';
import { type Server, startBakeserv } from './servers.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    visitors: { type: 'string', default: '10' },
    repeats: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    keys: { type: 'string', default: '100000' },
    browser: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [visitors, repeats, seconds, keys] = [values.visitors, values.repeats, values.seconds, values.keys].map(
  Number,
) as [number, number, number, number];

/** The protocol's p99 with visitors is at most this many times that without. */
const BAR = 1.1;
/** What the overview asks for, how often, as in web/src/views/overview. */
const ASKS: readonly string[] = ['/api/v1/status', '/api/v1/history?span=hour', '/api/v1/jobs?limit=5'];
const EVERY_MS = 5000;
const LOADS: readonly (readonly [mode: Mode, connections: number, depth: number])[] = [
  ['get', 10, 64],
  ['get', 10, 1],
  ['report', 10, 1],
];

/** Those who look, until they leave. */
interface Crowd {
  /** Answers they have had. */
  answered(): number;
  leave(): Promise<void>;
}

function ask(agent: http.Agent, url: string, headers: http.OutgoingHttpHeaders = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers: { 'accept-encoding': 'gzip', ...headers } }, async (response) => {
      await text(response);
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${url}: ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}

/** Tabs as the server sees them: the files of the page, and then its requests, spread over time as people come. */
function requestsOf(url: string): Crowd {
  const over = new AbortController();
  let answered = 0;
  const visit = async (delayMs: number) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });
    try {
      await pause(delayMs, null, { signal: over.signal });
      for (const name of ['/', '/api/v1/session']) await ask(agent, url + name);
      for (;;) {
        await Promise.all(ASKS.map((path) => ask(agent, url + path)));
        answered += ASKS.length;
        await pause(EVERY_MS, null, { signal: over.signal });
      }
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      agent.destroy();
    }
  };
  const all = Promise.all(Array.from({ length: visitors }, (_, i) => visit((i * EVERY_MS) / visitors)));
  return {
    answered: () => answered,
    async leave() {
      over.abort();
      await all;
    },
  };
}

async function tabsOf(url: string): Promise<Crowd> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  let answered = 0;
  for (let i = 0; i < visitors; i++) {
    const page = await (await browser.newContext()).newPage();
    page.on('response', (response) => void (response.url().includes('/api/') && answered++));
    await page.goto(`${url}/#/overview`);
  }
  return { answered: () => answered, leave: () => browser.close() };
}

/** @param turn another for each measurement: no two report the same tasks */
function measure(
  server: Server,
  [mode, connections, depth]: (typeof LOADS)[number],
  turn: number,
): Promise<LoadResult> {
  const isWrite = mode === 'report';
  const offset = isWrite ? keys * (turn + 1) : 0;
  return load(server.address, null, {
    mode,
    shape: { connections, depth },
    offset,
    keys,
    requests: isWrite ? keys : 10_000_000,
    seconds,
  });
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-bench-page-'));
const server = await startBakeserv({
  folder,
  database: path.join(folder, 'hash.db'),
  extra: ['--bind=http://127.0.0.1:0'],
});
try {
  const shape = { connections: 10, depth: 64 };
  await load(server.address, null, { mode: 'report', shape, offset: 0, keys, requests: keys, seconds: 300 });
  const rows = [];
  let turn = 0;
  for (const each of LOADS) {
    const samples: { readonly alone: number; readonly watched: number; readonly answered: number }[] = [];
    // The first of each finds a server that has not done this before.
    await measure(server, each, turn++);
    for (let i = 0; i < repeats; i++) {
      const alone = await measure(server, each, turn++);
      const crowd = values.browser ? await tabsOf(server.url!) : requestsOf(server.url!);
      // The page is open then: who only comes has it loaded first.
      await pause(EVERY_MS + 1000);
      const before = crowd.answered();
      const watched = await measure(server, each, turn++);
      samples.push({ alone: alone.p99_us, watched: watched.p99_us, answered: crowd.answered() - before });
      await crowd.leave();
    }
    const ratio = median(samples.map(({ alone, watched }) => watched / alone));
    const [mode, connections, depth] = each;
    rows.push({
      load: `${mode} ${connections}x${depth}`,
      p99_us: median(samples.map(({ alone }) => alone)),
      p99_watched_us: median(samples.map(({ watched }) => watched)),
      ratio,
      answered: median(samples.map(({ answered }) => answered)),
      met: ratio <= BAR,
    });
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ visitors, browser: values.browser, rows })}\n`);
  else
    for (const { load, p99_us, p99_watched_us, ratio, answered, met } of rows)
      process.stdout.write(
        `${load.padEnd(14)} p99 ${p99_us.toFixed(0).padStart(7)} us alone, ${p99_watched_us.toFixed(0).padStart(7)} us with ${visitors} visitors (${answered} answers): ${ratio.toFixed(2)} times; at most ${BAR}: ${met ? 'met' : 'missed'}\n`,
      );
} finally {
  await server.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}
