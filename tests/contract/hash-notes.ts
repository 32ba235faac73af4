import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HashDatabases } from './helpers.ts';

/** What every engine promises of what a server notes in its database. */
export function hashNotesContract(name: string, { openNew, newName, engine }: HashDatabases): void {
  describe(`${name} keeps what a server notes`, () => {
    test('a note stays in the database, also for the next server; one that is there is not made again', async (t) => {
      const on = newName();
      const once = await engine.open(on);
      assert.equal(await once.store.note('bakeserv-test'), null);
      assert.equal(await once.store.ensureNote('bakeserv-test', 'one'), 'one');
      assert.equal(await once.store.ensureNote('bakeserv-test', 'two'), 'one');
      await once.close();
      const store = await openNew(t, on);
      assert.equal(await store.note('bakeserv-test'), 'one');
      await store.setNote('bakeserv-test', 'three');
      assert.equal(await store.note('bakeserv-test'), 'three');
      assert.equal((await store.gcStatus()).mark, null);
    });
  });
}
