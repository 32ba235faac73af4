import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Equivalence } from '../../lib/hashserv/store.ts';
import { type Backfill, createBackfill } from '../../lib/hashserv/upstream/backfill.ts';
import { recorder } from '../wire/upstream-helpers.ts';

const UNIHASH = 'a'.repeat(64);

/** Adds tasks `m tFROM` and those after it. */
function addTasks(backfill: Backfill, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) backfill.add(`m t${i}`, UNIHASH);
}

test('a full backfill drops and counts what does not fit, and warns once', async () => {
  const log = recorder();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stored: Equivalence[] = [];
  const store = {
    async reportEquivalent(batch: readonly Equivalence[]) {
      await held;
      stored.push(...batch);
      return [];
    },
  };
  const backfill = createBackfill(store, log, undefined, 2500);
  addTasks(backfill, 2400);
  addTasks(backfill, 300, 2400);
  addTasks(backfill, 300, 2700);
  assert.deepEqual(backfill.figures(), { backfill_queued: 2500, backfill_stored: 0, backfill_dropped: 500 });
  assert.equal(log.count('the queue is full'), 1);
  const waiting = backfill.wait();
  release();
  assert.equal(await waiting, 2500);
  assert.equal(stored.length, 2500);
  assert.deepEqual(backfill.figures(), { backfill_queued: 0, backfill_stored: 2500, backfill_dropped: 500 });
});

test('a backfill that is closed stores what it can, gives up the rest once and takes no more', async () => {
  const log = recorder();
  const asked: number[] = [];
  const store = {
    reportEquivalent(batch: readonly Equivalence[]) {
      asked.push(batch.length);
      // The first is stored, the second waits for a lock that never comes.
      return asked.length === 1 ? Promise.resolve([]) : new Promise<never>(() => {});
    },
  };
  const backfill = createBackfill(store, log);
  addTasks(backfill, 3500);
  while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await backfill.close(0);
  assert.equal(log.count('stops before all rows'), 1);
  addTasks(backfill, 10);
  assert.equal(asked.length, 2);
  assert.equal(backfill.figures().backfill_queued, 3500 - asked[0]!);
});

test('a backfill that is closed stores everything when there is time', async () => {
  const log = recorder();
  const backfill = createBackfill({ reportEquivalent: async () => [] }, log);
  addTasks(backfill, 3500);
  await backfill.close(2 ** 30);
  assert.equal(backfill.figures().backfill_stored, 3500);
  assert.deepEqual(log.lines, []);
});

test('rows that cannot be stored are dropped, and backfill-wait returns', async () => {
  const log = recorder();
  const store = { reportEquivalent: () => Promise.reject(new Error('storage full')) };
  const backfill = createBackfill(store, log);
  addTasks(backfill, 1500);
  assert.equal(await backfill.wait(), 1500);
  assert.equal(backfill.figures().backfill_dropped, 1500);
});

test('what waits for a task can be asked for until it is stored; the first that was added stays', async () => {
  const stored: Equivalence[] = [];
  const store = {
    async reportEquivalent(batch: readonly Equivalence[]) {
      stored.push(...batch);
      return [];
    },
  };
  const backfill = createBackfill(store, recorder());
  backfill.add('m t0', UNIHASH);
  backfill.add('m t0', 'b'.repeat(64));
  const row = { method: 'm', taskhash: 't0', unihash: UNIHASH };
  const other = { method: 'm', taskhash: 't1' };
  assert.deepEqual(backfill.waitingFor([other, row]), [row]);
  assert.equal(await backfill.wait(), 1);
  assert.deepEqual(stored, [row]);
  assert.deepEqual(backfill.waitingFor([other, row]), []);
});

test('rows that are added while others are being stored are stored too, each once', async () => {
  const stored: string[] = [];
  const backfill: Backfill = createBackfill(
    {
      async reportEquivalent(batch: readonly Equivalence[]) {
        if (stored.length === 0) addTasks(backfill, 700, 900);
        stored.push(...batch.map(({ taskhash }) => taskhash));
        return [];
      },
    },
    recorder(),
  );
  addTasks(backfill, 1000);
  await backfill.wait();
  assert.deepEqual(
    stored,
    Array.from({ length: 1600 }, (_, i) => `t${i}`),
  );
});

test('what a where matches is given up, once what is being stored is done', async () => {
  const stored: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store = {
    async reportEquivalent(batch: readonly Equivalence[]) {
      await held;
      stored.push(...batch.map(({ method, taskhash }) => `${method} ${taskhash}`));
      return [];
    },
  };
  const backfill = createBackfill(store, recorder());
  addTasks(backfill, 1000);
  await new Promise((resolve) => setImmediate(resolve));
  addTasks(backfill, 2, 1000);
  backfill.add('other t1000', UNIHASH);
  await backfill.forget(null);
  let forgotten = false;
  const forget = backfill.forget([
    ['method', 'm'],
    ['gc_mark', 'any'],
  ]);
  void forget.then(() => {
    forgotten = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(forgotten, false, 'a batch is being stored');
  release();
  await forget;
  await backfill.wait();
  assert.deepEqual(stored.slice(1000), ['other t1000'], 'all of the batch, and then only this');
});
