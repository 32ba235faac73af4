import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Logger, SILENT } from '../../lib/log.ts';
import { SECONDS } from '../../lib/meter/histogram.ts';
import { COLUMNS, quantile } from '../../lib/recorder/columns.ts';
import type { Figures } from '../../lib/recorder/figures.ts';
import { decode, encode, save } from '../../lib/recorder/file.ts';
import { Recorder } from '../../lib/recorder/recorder.ts';
import { Tracks } from '../../lib/recorder/tracks.ts';
import { historyOf } from '../../lib/recorder/view.ts';
import { temporaryFolder } from '../helpers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The begin of an hour. */
const BEGIN = Date.UTC(2026, 10, 22, 3);

interface Counted {
  readonly requests?: number;
  readonly hits?: number;
  readonly method?: string;
  readonly connections?: number;
  readonly fast?: number;
}

/** What a server has counted since its start. */
function figures({ requests = 0, hits = 0, method = 'm', connections = 0, fast = 0 }: Counted): Figures {
  const counts = SECONDS.map((_, i) => (i === 3 ? fast : 0));
  return {
    snapshot: {
      bakeserv_requests_total: [{ labels: ['hashserv', 'get', 'ok'], value: requests }],
      bakeserv_connections: [{ labels: ['a'], value: connections }],
      bakeserv_request_duration_seconds: [
        { labels: ['hashserv', 'get', 'ok'], value: { bounds: SECONDS, counts: [...counts, 0], sum: 0 } },
      ],
    },
    methods: hits > 0 ? [{ method, hits, misses: 0, upstreamHits: 0 }] : [],
  };
}

/** A server whose clock and counters the test sets. */
function fakeServer(t: TestContext, file: string | null = null, log: Logger = SILENT) {
  let now = BEGIN;
  let counted: Counted = {};
  let looks = 0;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const recorder = new Recorder({
    gather: async () => {
      looks++;
      return figures(counted);
    },
    missed: async () => [],
    file: () => file,
    log,
    now: () => now,
  });
  return {
    recorder,
    looks: () => looks,
    count: (more: Counted) => {
      counted = { ...counted, ...more };
    },
    async passes(ms: number) {
      now += ms;
      t.mock.timers.tick(Math.max(0, ms));
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** The values of the last buckets, the oldest first. */
    async last(name: string, buckets: number) {
      const { series } = await recorder.all('hour');
      return series[name]!.slice(-buckets);
    },
  };
}

describe('figures over time', () => {
  test('are those of the minute in which they were counted', async (t) => {
    const server = fakeServer(t);
    server.recorder.wake();
    server.count({ requests: 3, connections: 1 });
    await server.passes(MINUTE);
    server.count({ requests: 10 });
    await server.passes(20_000);
    assert.deepEqual(await server.last('hashserv.requests', 2), [3, 7]);
    server.count({ requests: 11 });
    await server.passes(MINUTE);
    assert.deepEqual(await server.last('hashserv.requests', 3), [3, 8, 0], 'asked in between, nothing counts twice');
    assert.deepEqual(await server.last('connections', 3), [1, 1, 1]);
    assert.deepEqual(await server.last('prserv.requests', 1), [null], 'a service that is not served');
    const { series } = await server.recorder.all('month');
    assert.equal(series['hashserv.requests']!.at(-1), 11);
  });

  test('are noted for the minute in which the last client left, and nothing is done until the next comes', async (t) => {
    const server = fakeServer(t);
    server.recorder.wake();
    await server.passes(10_000);
    server.count({ requests: 5 });
    server.recorder.rest();
    const before = server.looks();
    await server.passes(3 * MINUTE);
    assert.equal(server.looks(), before, 'nobody is there');
    server.recorder.wake();
    assert.deepEqual(await server.last('hashserv.requests', 4), [5, 0, 0, 0]);
    assert.deepEqual(await server.last('hashserv.requests', 6), [null, null, 5, 0, 0, 0], 'it was not there before');
  });

  test('name times by the requests of the bucket alone', async (t) => {
    const server = fakeServer(t);
    server.recorder.wake();
    server.count({ fast: 10 });
    await server.passes(MINUTE);
    const [p50, now] = (await server.last('hashserv.p50', 2)) as [number, null];
    assert.ok(p50 > SECONDS[2]! && p50 < SECONDS[3]!, String(p50));
    assert.equal(now, null, 'nothing was asked since');
  });

  test('go on after the next start, and show when the server was not there', async (t) => {
    const file = path.join(temporaryFolder(t), 'figures');
    const first = fakeServer(t, file);
    first.recorder.wake();
    first.count({ requests: 4, hits: 9, method: 'first' });
    await first.recorder.close();
    t.mock.timers.reset();
    const second = fakeServer(t, file);
    await second.passes(0);
    second.recorder.wake();
    second.count({ requests: 1, hits: 1, method: 'second' });
    assert.deepEqual(await second.last('hashserv.requests', 2), [null, 5], 'in the same minute');
    const { methods } = await second.recorder.lookups('day');
    assert.deepEqual(
      methods.map(({ method, total }) => [method, total.hits]),
      [
        ['first', 9],
        ['second', 1],
      ],
    );
    await second.recorder.close();
  });

  test('leave no file of a server that nobody asked anything, and none where they are kept in memory', async (t) => {
    const folder = temporaryFolder(t);
    const idle = fakeServer(t, path.join(folder, 'idle'));
    idle.recorder.wake();
    await idle.recorder.close();
    t.mock.timers.reset();
    const kept = fakeServer(t);
    kept.recorder.wake();
    kept.count({ requests: 1 });
    await kept.recorder.close();
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test('begin again with a warning where their file is damaged or none of theirs, which is put aside', async (t) => {
    const folder = temporaryFolder(t);
    const good = path.join(folder, 'good');
    const first = fakeServer(t, good);
    first.recorder.wake();
    first.count({ requests: 4 });
    await first.recorder.close();
    const bytes = fs.readFileSync(good);
    const wrong: readonly (readonly [string, Buffer])[] = [
      ['a text', Buffer.from('something else\n')],
      ['nothing', Buffer.alloc(0)],
      ['half', bytes.subarray(0, bytes.length / 2)],
      ['a bit', Buffer.concat([bytes.subarray(0, -100), Buffer.alloc(100)])],
    ];
    for (const [what, content] of wrong) {
      t.mock.timers.reset();
      const file = path.join(folder, what);
      fs.writeFileSync(file, content);
      const lines: string[] = [];
      const server = fakeServer(t, file, { ...SILENT, warn: (message) => void lines.push(message) });
      server.recorder.wake();
      server.count({ requests: 1 });
      assert.deepEqual(await server.last('hashserv.requests', 1), [1], what);
      assert.deepEqual(lines, ['the figures over time cannot be read: they begin again'], what);
      await server.recorder.close();
      assert.deepEqual(fs.readFileSync(`${file}.unreadable`), content);
      assert.equal(decode(fs.readFileSync(file), COLUMNS, new Tracks().rings).length, 0);
    }
  });

  test('are written through no link that somebody has put where they are begun', async (t) => {
    const folder = temporaryFolder(t);
    const [file, victim] = [path.join(folder, 'figures'), path.join(folder, 'victim')];
    fs.writeFileSync(victim, 'as it was');
    fs.symlinkSync(victim, `${file}.${process.pid}.part`);
    await save(file, { columns: COLUMNS, methods: [], rings: new Tracks().rings });
    assert.equal(fs.readFileSync(victim, 'utf8'), 'as it was');
    assert.ok(fs.lstatSync(file).isFile());
  });

  test('a folder that cannot be written is said once, and harms nothing', async (t) => {
    const lines: string[] = [];
    const file = path.join(temporaryFolder(t), 'missing', 'figures');
    const server = fakeServer(t, file, { ...SILENT, warn: (message) => void lines.push(message) });
    server.recorder.wake();
    server.count({ requests: 1 });
    for (let hour = 0; hour < 3; hour++) await server.passes(HOUR);
    await server.recorder.close();
    assert.deepEqual(lines, ['the figures over time cannot be kept']);
  });

  test('a clock that is set back or far ahead loses nothing that is counted from then on', async (t) => {
    const server = fakeServer(t);
    server.recorder.wake();
    for (const [i, jump] of [400 * 24 * HOUR, -300 * 24 * HOUR, -5 * MINUTE].entries()) {
      await server.passes(jump);
      await server.recorder.all('hour');
      server.count({ requests: i + 1 });
      assert.equal((await server.last('hashserv.requests', 1))[0], 1, String(jump));
    }
  });

  test('take a fixed room: half a megabyte, in memory and in the file', () => {
    const { rings } = new Tracks();
    const bytes = rings.reduce((sum, { numbers, values }) => sum + numbers.byteLength + values.byteLength, 0);
    assert.ok(bytes < 512 * 1024, String(bytes));
    assert.ok(encode({ columns: COLUMNS, methods: [], rings }).length < bytes + 4096);
  });
});

test('whenever it is looked, every bucket has what was counted in it', () => {
  const step = fc.record({
    seconds: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 90_000 })),
    requests: fc.integer({ min: 0, max: 1000 }),
    hits: fc.integer({ min: 0, max: 5 }),
    method: fc.constantFrom(...'abcdefghij'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tracks = new Tracks();
      tracks.begin(BEGIN);
      let now = BEGIN;
      let requests = 0;
      const byMethod = new Map<string, number>();
      const wanted = new Map<number, number>();
      for (const each of steps) {
        now += each.seconds * 1000;
        requests += each.requests;
        byMethod.set(each.method, (byMethod.get(each.method) ?? 0) + each.hits);
        const minute = Math.floor(now / MINUTE);
        wanted.set(minute, (wanted.get(minute) ?? 0) + each.requests);
        const methods = [...byMethod].map(([method, hits]) => ({ method, hits, misses: 0, upstreamHits: 0 }));
        tracks.note({ ...figures({ requests }), methods }, now);
      }
      const { times, series } = historyOf(tracks, 'day', now);
      for (const [i, second] of times.entries()) {
        const minute = second / 60;
        const expected = minute < BEGIN / MINUTE ? null : (wanted.get(minute) ?? 0);
        if (steps.length > 0) assert.equal(series['hashserv.requests']![i], expected);
      }
      const hours = historyOf(tracks, 'month', now).series;
      const sum = (name: string) => hours[name]!.reduce<number>((all, value) => all + (value ?? 0), 0);
      if (now - BEGIN < 30 * 24 * HOUR) assert.equal(sum('hashserv.requests'), requests);
      if (now - BEGIN < 30 * 24 * HOUR)
        assert.equal(
          sum('lookups.hits'),
          [...byMethod.values()].reduce((all, each) => all + each, 0),
        );
    }),
    { numRuns: 60 },
  );
});

test('a quantile is the value below which that share of all is, within its bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: SECONDS.length + 1, maxLength: SECONDS.length + 1 }),
      fc.constantFrom(0.5, 0.99),
      (counts, share) => {
        const total = counts.reduce((sum, each) => sum + each, 0);
        const value = quantile(Float64Array.from(counts), share);
        if (total === 0) return assert.ok(Number.isNaN(value));
        const below = counts.reduce((sum, each, i) => sum + ((SECONDS[i] ?? Infinity) < value ? each : 0), 0);
        const upTo = counts.reduce((sum, each, i) => sum + ((SECONDS[i - 1] ?? 0) <= value ? each : 0), 0);
        assert.ok(below <= share * total + 1e-9 && upTo >= share * total - 1e-9, `${value}`);
      },
    ),
  );
});
