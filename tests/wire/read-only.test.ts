import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, METHOD, refusal, serve } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
const report = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };

/** A writable server with something in it, and a read-only one on the same files. */
async function both(t: Parameters<typeof serve>[0]) {
  const admin = { 'admin-user': 'admin', 'admin-password': 'secret' };
  const writable = await serve(t, { flags: admin });
  await writable.connect().ask('report', report);
  await writable.connect(PRSERV).ask('get-pr', { ...PKG, checksum: 'c0' });
  const readOnly = await serve(t, { folder: writable.folder, flags: { 'read-only': true } });
  return { writable, readOnly };
}

describe('a read-only server', () => {
  test('refuses every command that writes and says why', async (t) => {
    const { readOnly } = await both(t);
    const client = readOnly.connect();
    await client.ask('auth', { username: 'admin', token: 'secret' });
    const writes: readonly (readonly [string, Json])[] = [
      ['remove', { where: { method: METHOD } }],
      ['gc-mark', { mark: 'm', where: { method: METHOD } }],
      ['gc-mark-stream', null],
      ['gc-sweep', { mark: 'm' }],
      ['clean-unused', { max_age_seconds: 0 }],
      ['new-user', { username: 'x', permissions: [] }],
      ['set-user-perms', { username: 'admin', permissions: [] }],
      ['delete-user', { username: 'admin' }],
      ['refresh-token', { username: 'admin' }],
    ];
    for (const [command, args] of writes) assert.match(refusal(await client.ask(command, args)), /read-only/, command);
    assert.deepEqual(await client.ask('gc-status', {}), { mark: null, keep: 1, remove: 0 });
    assert.equal(((await client.ask('get-all-users', {})) as { users: Json[] }).users.length, 1);
  });

  test('answers report from what is known, else with the client’s own, and report-equiv with null', async (t) => {
    const { readOnly } = await both(t);
    const client = readOnly.connect();
    const answer = (taskhash: string, unihash: string) => ({ method: METHOD, taskhash, unihash });
    const known = await client.ask('report', { ...report, taskhash: 't2', unihash: hash(2) });
    assert.deepEqual(known, answer('t2', hash(1)));
    const unknown = await client.ask('report', { ...report, taskhash: 't2', outhash: 'o2', unihash: hash(2) });
    assert.deepEqual(unknown, answer('t2', hash(2)));
    assert.equal(await client.ask('report-equiv', answer('t2', hash(2))), null);
    assert.equal(refusal(await client.ask('report-equiv', answer('t2', 'bad'))), 'Invalid unihash');
    assert.equal(await client.ask('get', { method: METHOD, taskhash: 't2' }), null);
  });

  test('answers get-pr by the rule and stores nothing: two new checksums get the same value', async (t) => {
    const { writable, readOnly } = await both(t);
    const client = readOnly.connect(PRSERV);
    assert.deepEqual(await client.ask('is-readonly', {}), { readonly: true });
    for (const checksum of ['new', 'newer', 'new'])
      assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum }), { value: '1' });
    assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'c0' }), { value: '0' });
    assert.equal(await client.ask('import-one', { ...PKG, checksum: 'x', value: '7' }), null);
    assert.match(refusal(await client.ask('import-one', { ...PKG, checksum: 'x', value: 'abc' })), /value must be/);
    assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '0' });
    const writer = writable.connect(PRSERV);
    assert.deepEqual(await writer.ask('is-readonly', {}), { readonly: false });
    assert.deepEqual(await writer.ask('get-pr', { ...PKG, checksum: 'newest' }), { value: '1' });
    assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '1' });
  });
});
