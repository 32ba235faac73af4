import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import { createForeignCommits } from '../../lib/storage/sqlite/engine/foreign-commits.ts';

/** A connection that says it sees this version of the file. */
const seeing = (version: () => number) => ({ all: async () => [{ data_version: version() }] }) as unknown as Binding;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Notices what `connection` gives; `look` asks once, and resolves to how often a change was told of. */
function noticing(t: TestContext, connection: () => Binding) {
  let asked = 0;
  t.mock.timers.enable({ apis: ['setInterval'] });
  const foreign = createForeignCommits((job) => {
    asked++;
    return job(connection());
  });
  t.after(foreign.close);
  let told = 0;
  foreign.listen(() => told++);
  const look = async () => {
    foreign.look();
    await turn();
    return told;
  };
  return { foreign, look, asked: () => asked, told: () => told };
}

test('the first look counts as a commit of others: what came before it was seen by nobody', async (t) => {
  const { look } = noticing(t, () => seeing(() => 1));
  assert.equal(await look(), 1);
});

test('each commit of others is told once', async (t) => {
  let version = 1;
  const connection = seeing(() => version);
  const { look } = noticing(t, () => connection);
  assert.equal(await look(), 1);
  assert.equal(await look(), 1);
  version = 2;
  assert.equal(await look(), 2);
  assert.equal(await look(), 2);
});

test('the first look on another connection counts, also where it sees a version of the same number', async (t) => {
  let connection = seeing(() => 1);
  const { look } = noticing(t, () => connection);
  assert.equal(await look(), 1);
  connection = seeing(() => 1);
  assert.equal(await look(), 2);
  assert.equal(await look(), 2);
});

test('the first look comes by itself, again until it succeeds, and then none while nobody asks', async (t) => {
  let isLocked = true;
  const connection = {
    async all() {
      if (isLocked) throw new Error('locked');
      return [{ data_version: 1 }];
    },
  } as unknown as Binding;
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { asked, told } = noticing(t, () => connection);
  const pass = async (times: number) => {
    for (let i = 0; i < times; i++) {
      now += 100;
      t.mock.timers.tick(100);
      await turn();
    }
  };
  await pass(3);
  assert.deepEqual([asked(), told()], [3, 0]);
  isLocked = false;
  await pass(50);
  assert.deepEqual([asked(), told()], [4, 1]);
});

test('what a look saw counts from when it began, and nothing is seen by one that failed', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  let fails = false;
  const connection = {
    async all() {
      now += 30;
      if (fails) throw new Error('locked');
      return [{ data_version: 1 }];
    },
  } as unknown as Binding;
  const { foreign, look, asked } = noticing(t, () => connection);
  assert.equal(foreign.seenAt(), Number.NEGATIVE_INFINITY);
  await look();
  assert.equal(foreign.seenAt(), 1000);
  fails = true;
  await look();
  assert.equal(foreign.seenAt(), 1000);
  // However many ask, it is not tried again at once.
  for (let i = 0; i < 10; i++) await look();
  assert.equal(asked(), 2);
  now += 100;
  fails = false;
  await look();
  assert.ok(foreign.seenAt() > 1000);
});
