import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HashSession } from '../../lib/hashserv/access/session.ts';
import type { HashStore, User } from '../../lib/hashserv/store.ts';

const sweeper: User = { id: 1, username: 'sweeper', token: 't', permissions: '@db-admin' };
const nothing = () => {};

test('the user of a certificate is looked up also where no user has changed since the server started', async () => {
  const store = { usersVersion: 0, findUser: async () => sweeper } as unknown as HashStore;
  const peer = { name: 'p', address: '192.0.2.1', local: false };
  const session = new HashSession({ ...peer, user: 'sweeper' }, store, new Set(['@read']), nothing, nothing);
  assert.equal(session.isStale, true);
  await session.refresh();
  assert.deepEqual([session.username, session.can('@db-admin'), session.isStale], ['sweeper', true, false]);
  assert.equal(
    new HashSession(peer, store, new Set(['@read']), nothing, nothing).isStale,
    false,
    'without one nothing is looked up',
  );
});
