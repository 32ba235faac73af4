import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS, faultOfLimits, type Limits } from '../../lib/asyncrpc/limits.ts';
import { joinSnapshots, lasting, type Snapshot } from '../../lib/metrics/snapshot.ts';
import { METRICS } from '../../lib/metrics/table.ts';
import { afterDeath, type Deaths, NO_DEATHS } from '../../lib/workers/restart-policy.ts';
import { shareOf } from '../../lib/workers/shares.ts';
import { WorkerProcess } from '../../lib/workers/worker-process.ts';

const WORKERS = 2;

/** What is decided about deaths, each given by when it is and how long the worker had lived. */
function decide(deaths: readonly (readonly [at: number, livedMs: number])[], workers = WORKERS) {
  let known: Deaths = NO_DEATHS;
  return deaths.map(([at, lived]) => {
    const verdict = afterDeath(known, at, lived, workers);
    known = verdict.deaths;
    return verdict.kind === 'give-up' ? 'give-up' : verdict.pauseMs;
  });
}

describe('after the death of a worker', () => {
  test('another starts at once, however often that happens to workers that served for a while', () => {
    const deaths = Array.from({ length: 50 }, (_, i) => [i * 60_000, 30_000] as const);
    assert.deepEqual(new Set(decide(deaths)), new Set([0]));
  });

  test('pauses get longer where workers die soon after their start, and are short again after one that served', () => {
    const early = [0, 1, 2, 3, 4, 5].map((i) => [i * 20_000, 100] as const);
    assert.deepEqual(
      decide([...early, [140_000, 20_000], [160_000, 100], [180_000, 100]]),
      [0, 50, 100, 200, 400, 800, 0, 0, 50],
    );
  });

  test('a server gives up after too many deaths within a minute, and not after as many in a longer time', () => {
    const dying = (everyMs: number) => decide(Array.from({ length: 12 }, (_, i) => [i * everyMs, 0]));
    assert.deepEqual(dying(1000).indexOf('give-up'), 11);
    assert.equal(dying(10_000).includes('give-up'), false);
  });

  test('all workers of a server may be ended at one moment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (workers) => {
        const all = Array.from({ length: workers }, () => [1000, 100] as const);
        assert.equal(decide(all, workers).includes('give-up'), false);
      }),
    );
  });

  test('the next starts within a second, whatever happened', () => {
    const deaths = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 20_000 })));
    fc.assert(
      fc.property(deaths, (some) => {
        let at = 0;
        const times = some.map(([after, lived]) => {
          at += after;
          return [at, lived] as const;
        });
        for (const verdict of decide(times)) if (verdict !== 'give-up') assert.ok(verdict < 1000);
      }),
    );
  });
});

describe('limits of several workers', () => {
  const DIVIDED: readonly (keyof Limits)[] = [
    'maxPartialBytes',
    'maxHeldBytes',
    'maxHandshakes',
    'maxHandshakesPerAddress',
    'maxHttpConnections',
    'maxLoginFailures',
    'maxCautiousLogins',
  ];

  test('hold for the sum where they are divided, but for room that the longest message needs', () => {
    for (let workers = 1; workers <= 64; workers++) {
      const share = shareOf(DEFAULT_LIMITS, workers);
      assert.equal(faultOfLimits(share), null);
      for (const name of DIVIDED) {
        const least = name.endsWith('Bytes') ? DEFAULT_LIMITS.maxMessageBytes : 1;
        assert.equal(share[name], Math.max(least, Math.ceil(DEFAULT_LIMITS[name] / workers)), name);
      }
    }
  });

  test('all others are those of each connection, or counted where clients are accepted', () => {
    const share = shareOf(DEFAULT_LIMITS, 2);
    for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[])
      if (!DIVIDED.includes(name)) assert.equal(share[name], DEFAULT_LIMITS[name], name);
  });
});

/** A worker that answers, or not, whatever it is sent; and does nothing else. */
function fakeWorker(t: TestContext, onMessage: string): Promise<WorkerProcess> {
  return new Promise((resolve) => {
    const script = `process.on('message', (message) => { ${onMessage} }); process.send({ kind: 'opened' });`;
    const unheard = () => assert.fail('nobody asked for this');
    const worker: WorkerProcess = new WorkerProcess(1, [process.execPath, '-e', script], {
      opened: resolve,
      ready: unheard,
      refused: unheard,
      failed: unheard,
      gone() {},
      asked: unheard,
      ended() {},
    });
    t.after(() => worker.kill());
  });
}

describe('a sign of life', () => {
  test('is owed until it is given, and asked for once', async (t) => {
    const worker = await fakeWorker(t, "if (message.kind === 'ping') setTimeout(() => process.send({ kind: 'pong' }))");
    assert.equal(worker.isSilent, false);
    for (const beats of [0, 1, 2, 3]) {
      assert.equal(worker.beat(), beats);
      assert.ok(worker.isSilent);
      assert.equal(worker.isPrompt(performance.now()), beats === 0, 'others get the clients');
    }
    while (worker.isSilent) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(worker.beat(), 0);
  });

  test('is not missed because the process that leads was held up itself', async (t) => {
    const worker = await fakeWorker(t, "process.send({ kind: 'pong' })");
    worker.beat();
    // As a clock sees it, the worker is late by now.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    assert.equal(worker.beat(), 1);
    while (worker.isSilent) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('metrics of several workers', () => {
  const row = (name: string) => METRICS.flatMap(({ rows }) => rows).find((each) => each.name === name)!;
  const histogram = (counts: number[], sum: number) => ({ bounds: [1, 2], counts, sum });
  const [counter, summed, largest, times] = [
    'bakeserv_requests_total',
    'bakeserv_connections',
    'bakeserv_wal_bytes',
    'bakeserv_commit_duration_seconds',
  ] as const;
  const one: Snapshot = {
    [counter]: [
      { labels: ['hashserv', 'get', 'ok'], value: 3 },
      { labels: ['hashserv', 'ping', 'ok'], value: 1 },
    ],
    [summed]: [{ labels: ['a'], value: 5 }],
    [largest]: [{ labels: ['hashserv'], value: 100 }],
    [times]: [{ labels: ['hashserv', 'yes'], value: histogram([1, 2, 3], 9.5) }],
  };
  const other: Snapshot = {
    [counter]: [{ labels: ['hashserv', 'get', 'ok'], value: 4 }],
    [summed]: [{ labels: ['a'], value: 7 }],
    [largest]: [{ labels: ['hashserv'], value: 90 }],
    [times]: [{ labels: ['hashserv', 'yes'], value: histogram([10, 0, 1], 0.5) }],
  };

  test('are one by the rule of each row', () => {
    assert.equal(row(largest).joins, 'max');
    const joined = joinSnapshots([one, other]);
    assert.deepEqual(joined[counter], [
      { labels: ['hashserv', 'get', 'ok'], value: 7 },
      { labels: ['hashserv', 'ping', 'ok'], value: 1 },
    ]);
    assert.deepEqual(joined[summed], [{ labels: ['a'], value: 12 }]);
    assert.deepEqual(joined[largest], [{ labels: ['hashserv'], value: 100 }]);
    assert.deepEqual(joined[times], [{ labels: ['hashserv', 'yes'], value: histogram([11, 2, 4], 10) }]);
  });

  test('of a worker that has ended what it counted stays, and what it had goes', () => {
    const joined = joinSnapshots([lasting(one), other]);
    assert.deepEqual(joined[counter]![0]!.value, 7);
    assert.deepEqual(joined[times]![0]!.value, histogram([11, 2, 4], 10));
    assert.deepEqual(joined[summed], other[summed]);
    assert.deepEqual(joined[largest], other[largest]);
  });

  test('every gauge says how it is joined', () => {
    for (const { rows } of METRICS)
      for (const { name, kind, joins } of rows) assert.equal(joins !== undefined, kind === 'gauge', name);
  });
});
