import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import { pollForeignCommits } from '../../lib/storage/sqlite/engine/foreign-commits.ts';

/** A connection that says it sees this version of the file. */
const seeing = (version: () => number) => ({ all: async () => [{ data_version: version() }] }) as unknown as Binding;

/** Polls what `connection` gives; `look` lets it do so once, and resolves to how often a change was told of. */
function polling(t: TestContext, connection: () => Binding) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const poll = pollForeignCommits((job) => job(connection()));
  t.after(poll.close);
  let told = 0;
  poll.listen(() => told++);
  return async () => {
    t.mock.timers.tick(100);
    await new Promise((resolve) => setImmediate(resolve));
    return told;
  };
}

test('the first look counts as a commit of others: what came before it was seen by nobody', async (t) => {
  const look = polling(t, () => seeing(() => 1));
  assert.equal(await look(), 1);
});

test('each commit of others is told once', async (t) => {
  let version = 1;
  const connection = seeing(() => version);
  const look = polling(t, () => connection);
  assert.equal(await look(), 1);
  assert.equal(await look(), 1);
  version = 2;
  assert.equal(await look(), 2);
  assert.equal(await look(), 2);
});

test('the first look on another connection counts, also where it sees a version of the same number', async (t) => {
  let connection = seeing(() => 1);
  const look = polling(t, () => connection);
  assert.equal(await look(), 1);
  connection = seeing(() => 1);
  assert.equal(await look(), 2);
  assert.equal(await look(), 2);
});
