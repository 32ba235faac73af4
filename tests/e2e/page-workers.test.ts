import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Visitor } from '../wire/page-helpers.ts';
import { eventually, serve, temporaryFolder } from './helpers.ts';
import { WITHIN_MS, workersOf } from './workers-helpers.ts';

/** Connections, each of which goes to the worker that has fewest. */
const SEVERAL = 6;

test('a session is known to every worker, also to one that takes the place of another, and ends in all of them', async (t) => {
  const args = ['--workers', '2', '--admin-user', 'root', '--admin-password', 'secret', '--bind', 'http://127.0.0.1:0'];
  const server = await serve(t, { folder: temporaryFolder(t), args });
  const [, http] = server.addresses;
  assert.ok(http?.kind === 'http');
  const visitor = new Visitor(`http://127.0.0.1:${http.port}`);
  await visitor.signIn('root', 'secret');
  const users = () => Promise.all(Array.from({ length: SEVERAL }, () => visitor.user()));
  const every = (user: string | null) => Array.from({ length: SEVERAL }, () => user);
  assert.deepEqual(await users(), every('root'));
  assert.equal((await visitor.ask('GET', '/')).status, 200);

  const [victim] = await workersOf(server);
  process.kill(victim!.pid, 'SIGKILL');
  await eventually(WITHIN_MS, async () => {
    const [first] = await workersOf(server);
    assert.ok(first && first.pid !== victim!.pid);
  });
  assert.deepEqual(await users(), every('root'));

  const { cookie } = visitor;
  await visitor.ask('DELETE', '/session');
  visitor.cookie = cookie;
  const later = Array.from({ length: SEVERAL }, () => {
    const other = new Visitor(visitor.origin);
    other.cookie = cookie;
    return other.user();
  });
  assert.deepEqual(await Promise.all(later), every(null));
});
