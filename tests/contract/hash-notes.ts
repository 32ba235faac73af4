import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEPT_PLACES, PLACE_PREFIX } from '../../lib/hashserv/store.ts';
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

    test('of the places of sources the last that were set stay, and nothing else goes with the others', async (t) => {
      const store = await openNew(t);
      await store.setNote('bakeserv-id', 'this one');
      await store.gcSetMark('nightly');
      /** Names by when they were set, the oldest first. */
      let expected: string[] = [];
      const set = async (n: number) => {
        const name = `${PLACE_PREFIX}${n}` as const;
        await store.setNote(name, `of ${n}`);
        expected = [...expected.filter((each) => each !== name), name].slice(-KEPT_PLACES);
      };
      for (let n = 0; n < KEPT_PLACES; n++) await set(n);
      // The oldest, which are set again, and new ones, for which the oldest go.
      const either = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: KEPT_PLACES, max: KEPT_PLACES + 50 }));
      const steps = fc.array(either, { minLength: 20, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(steps, async (numbers) => {
          for (const n of numbers) await set(n);
          for (const n of numbers) {
            const name = `${PLACE_PREFIX}${n}` as const;
            assert.equal(await store.note(name), expected.includes(name) ? `of ${n}` : null, name);
          }
        }),
        { numRuns: 3, endOnFailure: true },
      );
      const there = new Set<string>();
      for (let n = 0; n <= KEPT_PLACES + 50; n++)
        if ((await store.note(`${PLACE_PREFIX}${n}`)) !== null) there.add(`${PLACE_PREFIX}${n}`);
      assert.deepEqual(there, new Set(expected));
      assert.equal(await store.note('bakeserv-id'), 'this one');
      assert.equal((await store.gcStatus()).mark, 'nightly');
    });
  });
}
