import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ConnectionLost, connectHashClient, connectPrClient, InvokeError, parseAddress } from '../../lib/index.ts';
import { digits, openSite } from './client-helpers.ts';

test('a client outlives a restart of its server, login and all, also in the middle of a stream', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const serverArgs = ['--admin-user', 'root', '--admin-password', 'secret', '--anon-perms', '@read,@report'];
  let site = await openSite(serverArgs, folder);
  const hash = await connectHashClient(parseAddress(site.address), { login: { username: 'root', token: 'secret' } });
  const pr = await connectPrClient(parseAddress(site.address));
  t.after(() => {
    hash.close();
    pr.close();
    return site.close();
  });
  const key = { version: 'a-1-r0', pkgarch: 'all', checksum: 'c' };
  assert.equal(await pr.getPr(key, false), '0');
  await hash.report({ method: 'm', taskhash: digits(1), outhash: digits(2), unihash: digits(3) });

  async function* tasks() {
    yield [`m ${digits(1)}`];
    await site.close();
    site = await openSite(serverArgs, folder);
    yield [`m ${digits(1)}`, `m ${digits(9)}`];
  }
  const answers: string[] = [];
  for await (const batch of hash.streamBatches('get-stream', tasks())) answers.push(...batch.answers);
  assert.deepEqual(answers, [digits(3), digits(3), '']);
  // @db-admin comes from the login alone.
  assert.deepEqual(await hash.countRows({ method: 'm' }), { unihashes: 1, outhashes: 1 });
  assert.equal(await pr.getPr(key, false), '0');
});

test('every typed method of the hash client is answered', async (t) => {
  const site = await openSite(['--admin-user', 'root', '--admin-password', 'secret']);
  const client = await connectHashClient(parseAddress(site.tcp), { login: { username: 'root', token: 'secret' } });
  t.after(() => {
    client.close();
    return site.close();
  });
  const task = { method: 'm', taskhash: digits(1), unihash: digits(3) };
  assert.deepEqual(await client.report({ ...task, outhash: digits(2) }), task);
  assert.deepEqual(await client.reportEquivalent({ ...task, unihash: digits(4) }), task);
  assert.deepEqual(await client.get('m', digits(1)), task);
  assert.equal(await client.get('m', digits(2)), null);
  assert.equal((await client.getAll('m', digits(1)))!.outhash, digits(2));
  assert.equal((await client.getOuthash('m', digits(2), digits(7)))!.taskhash, digits(1));
  assert.equal('unihash' in (await client.getOuthash('m', digits(2), digits(7), false))!, false);
  assert.deepEqual(await client.getUnihashes([task, { method: 'm', taskhash: digits(2) }]), [digits(3), null]);
  assert.deepEqual(await client.unihashesExist([digits(3), digits(4)]), [true, false]);
  assert.equal(await client.backfillWait(), 0);
  assert.ok((await client.stats()).requests.num > 0);
  assert.ok((await client.resetStats()).requests.num > 0);
  assert.equal(await client.gcMark('x', { unihash: digits(3) }), 1);
  const marked: number[] = [];
  for await (const count of client.gcMarkAll('x', [{ unihash: digits(3) }, { unihash: digits(4) }])) marked.push(count);
  assert.deepEqual(marked, [1, 0]);
  assert.deepEqual(await client.gcStatus(), { mark: 'x', keep: 1, remove: 0 });
  assert.equal(await client.gcSweep('x'), 0);
  await assert.rejects(client.gcSweep('x'), InvokeError);
  assert.equal(await client.cleanUnused(0), 0);
  assert.equal((await client.databaseUsage()).unihashes_v3!.rows, 1);
  assert.ok((await client.queryColumns()).includes('unihash'));
  const { token } = await client.newUser('u', ['@read']);
  assert.equal(token!.length, 64);
  assert.deepEqual(await client.setUserPermissions('u', ['@report']), { username: 'u', permissions: ['@report'] });
  assert.deepEqual(await client.getUser('u'), { username: 'u', permissions: ['@report'] });
  assert.equal((await client.getUser())!.username, 'root');
  assert.equal((await client.allUsers()).length, 2);
  assert.notEqual((await client.refreshToken('u')).token, token);
  assert.deepEqual(await client.deleteUser('u'), { username: 'u' });
  assert.equal(await client.getUser('u'), null);
  assert.equal(await client.remove({ method: 'm' }), 2);
});

test('a chunked request and a chunked reply go through', async (t) => {
  const site = await openSite();
  const client = await connectHashClient(parseAddress(site.address));
  t.after(() => {
    client.close();
    return site.close();
  });
  const siginfo = 'é line\n'.repeat(50_000);
  const report = { method: 'm', taskhash: digits(1), outhash: digits(2), unihash: digits(3), outhash_siginfo: siginfo };
  await client.report(report);
  assert.equal((await client.getAll('m', digits(1)))!.outhash_siginfo, siginfo);
});

test('the wrong service, and a server that hangs up, are told', async (t) => {
  const site = await openSite(['--no-hashserv']);
  t.after(() => site.close());
  const client = await connectHashClient(parseAddress(site.address), { reconnects: 0 });
  await assert.rejects(client.ping(), ConnectionLost);
  client.close();
});
