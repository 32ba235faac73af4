import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvokeError } from '../../lib/errors.ts';
import type { HashDatabases } from './helpers.ts';

/** The table of users. */
export function hashUsersContract(name: string, { newName, openNew }: HashDatabases): void {
  describe(`${name} keeps users`, () => {
    test('a user is made once, changed, and deleted', async (t) => {
      const store = await openNew(t);
      assert.equal(await store.createUser('b', 'token-1', '@read'), true);
      assert.equal(await store.createUser('b', 'token-2', '@all'), false);
      assert.equal(await store.setPermissions('b', '@read @report'), true);
      assert.equal(await store.setToken('b', 'token-3'), true);
      await store.upsertUser('a', 'x', '@all');
      await store.upsertUser('a', 'y', '@read');
      const shown = (await store.allUsers()).map(({ id: _, ...user }) => user);
      assert.deepEqual(shown, [
        { username: 'a', token: 'y', permissions: '@read' },
        { username: 'b', token: 'token-3', permissions: '@read @report' },
      ]);
      assert.equal(await store.deleteUser('b'), true);
      assert.equal(await store.findUser('b'), null);
    });

    test('what is done to a user who is not there says so', async (t) => {
      const store = await openNew(t);
      assert.equal(await store.setPermissions('x', '@read'), false);
      assert.equal(await store.setToken('x', 'y'), false);
      assert.equal(await store.deleteUser('x'), false);
    });

    test('the last user who may manage users is neither deleted nor demoted, also from two servers at once', async (t) => {
      for (const [first, second] of [
        ['@all', '@all'],
        ['@read @user-admin', '@all'],
        ['@all', '@report @user-admin'],
      ] as const) {
        const file = newName();
        const stores = [await openNew(t, file), await openNew(t, file)] as const;
        await stores[0].createUser('a', 'x', first);
        await stores[0].createUser('b', 'x', second);
        await stores[0].createUser('c', 'x', '@db-admin @read @report');
        const ends = await Promise.allSettled([stores[0].deleteUser('a'), stores[1].setPermissions('b', '@db-admin')]);
        const refused = ends.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
        assert.equal(refused.length, 1);
        assert.ok(refused[0]!.reason instanceof InvokeError);
        assert.match(refused[0]!.reason.message, /^'[ab]' is the last user who may manage users/);
        const left = ends[0].status === 'rejected' ? 'a' : 'b';
        for (const store of stores) {
          await assert.rejects(store.deleteUser(left), InvokeError);
          for (const permissions of ['', '@read', '@db-admin @read @report', '@alles', '@user-administrator'])
            await assert.rejects(store.setPermissions(left, permissions), InvokeError);
        }
        // From one that may to the other is no demotion, and anybody else can go.
        assert.equal(await stores[0].setPermissions(left, '@user-admin'), true);
        assert.equal(await stores[1].setPermissions(left, '@all'), true);
        assert.equal(await stores[0].deleteUser('c'), true);
        assert.deepEqual((await stores[0].findUser(left))?.permissions, '@all');
      }
    });

    test('every change of the table changes usersVersion; a user made anew is another user', async (t) => {
      const store = await openNew(t);
      const versions = [store.usersVersion];
      await store.createUser('a', 'x', '@read');
      versions.push(store.usersVersion);
      const first = await store.findUser('a');
      await store.setPermissions('a', '');
      versions.push(store.usersVersion);
      await store.deleteUser('a');
      versions.push(store.usersVersion);
      await store.createUser('a', 'x', '@read');
      assert.equal(new Set(versions).size, versions.length);
      assert.notEqual((await store.findUser('a'))?.id, first?.id);
    });
  });
}
