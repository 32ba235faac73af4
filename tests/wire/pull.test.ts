import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, METHOD, serve } from './helpers.ts';
import { getPr, OWNER, pull, pulled, reportOf, serveSource, valuesOf } from './pull-helpers.ts';

const BUSYBOX = 'busybox-1.36-r0';
const BASH = 'bash-5.2-r0';

describe('a pull from a running server', () => {
  test('brings its hashes and PR values; a second one finds nothing new', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    for (let n = 0; n < 30; n++) await source.hashes.ask('report', reportOf(n));
    for (const checksum of ['a', 'b', 'c']) await getPr(source.prs, BUSYBOX, checksum);
    const result = await pulled(target, { source: source.address });
    assert.deepEqual(result.hashes, {
      unihashes: { new: 30, equal: 0, differing: 0, refused: 0 },
      outhashes: { new: 30, equal: 0, differing: 0, refused: 0 },
      read: 60,
    });
    assert.deepEqual([result.prs!.new, result.prs!.stored, result.prs!.conflicts], [3, 3, 0]);
    const [hashes, prs] = [target.connect(), target.connect('PRSERVICE 1.0')];
    const found = await hashes.ask('get', { method: METHOD, taskhash: hash(7) });
    assert.equal((found as { unihash: string }).unihash, hash(20_007));
    assert.equal(await getPr(prs, BUSYBOX, 'b', true), '1');
    assert.equal(await getPr(prs, BUSYBOX, 'new'), '3');
    const again = await pulled(target, { source: source.address });
    assert.deepEqual([again.hashes!.unihashes.new, again.prs!.new, again.prs!.equal], [0, 0, 3]);
  });

  test('with a conflict nothing comes in, the hashes neither; a dry run says so first', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    const prs = target.connect('PRSERVICE 1.0');
    await getPr(prs, BUSYBOX, 'ours');
    await getPr(source.prs, BUSYBOX, 'theirs');
    await getPr(source.prs, BASH, 'only');
    await source.hashes.ask('report', reportOf(1));
    const before = await valuesOf(prs);
    const preview = await pulled(target, { source: source.address, dry_run: true });
    const row = { version: BUSYBOX, pkgarch: 'core2-64', checksum: 'theirs', value: '0' };
    assert.deepEqual(preview.prs!.conflict_rows, [{ ...row, kind: 'same-value', against: 'ours' }]);
    assert.deepEqual([preview.prs!.new, preview.hashes!.unihashes.new], [1, 1]);
    const job = await pull(target, { source: source.address });
    assert.equal(job.state, 'failed');
    assert.match(job.error!, /^1 row of the source in conflict with PR values here: none was stored/);
    assert.deepEqual(job.result.prs!.conflict_rows, preview.prs!.conflict_rows);
    assert.deepEqual(await valuesOf(prs), before);
    assert.equal(await target.connect().ask('get', { method: METHOD, taskhash: hash(1) }), null);
    const kept = await pulled(target, { source: source.address, on_conflict: 'keep' });
    assert.deepEqual([kept.prs!.stored, kept.prs!.conflicts], [1, 1]);
    const raised = await pulled(target, { source: source.address, on_conflict: 'raise' });
    assert.deepEqual(raised.prs!.raised_rows, [
      { version: BUSYBOX, pkgarch: 'core2-64', checksum: 'theirs', from: '0', to: '1' },
    ]);
    assert.equal(await getPr(prs, BUSYBOX, 'theirs', true), '1');
  });

  test('only of what is asked for: one service, recipes, architectures', async (t) => {
    const source = await serveSource(t);
    for (let n = 0; n < 10; n++) await source.hashes.ask('report', reportOf(n, n < 4 ? 'busybox' : 'bash'));
    for (const version of [BUSYBOX, BASH]) await getPr(source.prs, version, 'a');
    for (const [parameters, unihashes, values] of [
      [{ hashes: true }, 10, null],
      [{ prs: true }, null, 2],
      [{ packages: 'busy*' }, 4, 1],
      [{ pkgarch: 'all' }, 10, 0],
      [{ methods: ['other'] }, 0, 2],
    ] as const) {
      const result = await pulled(await serve(t), {
        source: source.address,
        ...(parameters as { [name: string]: Json }),
      });
      assert.equal(result.hashes?.unihashes.new ?? null, unihashes);
      assert.equal(result.prs?.new ?? null, values);
    }
  });

  test('of a server that has only one of the services brings that', async (t) => {
    const source = await serveSource(t, { flags: { prserv: false } });
    await source.hashes.ask('report', reportOf(1));
    const target = await serve(t);
    const result = await pulled(target, { source: source.address });
    assert.deepEqual([result.prs, result.hashes!.unihashes.new], [null, 1]);
    const job = await pull(target, { source: source.address, prs: true });
    assert.match(job.error!, /closes the connection: it serves nothing of what is wanted/);
  });

  test('from itself, and where nobody is, fails with what is wrong', async (t) => {
    const target = await serveSource(t);
    await target.hashes.ask('database-id', {});
    const own = await pull(target, { source: target.address });
    assert.match(own.error!, /is on the database of this server/);
    const nobody = await pull(target, { source: `unix://${target.folder}/none` });
    assert.equal(nobody.state, 'failed');
    assert.match(nobody.error!, /none/);
  });

  test('needs the rights of the source: with a login that has them it goes, without it does not', async (t) => {
    const admin = { 'admin-user': 'admin', 'admin-password': 'secret token' };
    const source = await serveSource(t, { flags: { ...admin, 'anon-perms': '@read,@report' } });
    await source.hashes.ask('report', reportOf(1));
    const target = await serve(t);
    const without = await pull(target, { source: source.address, hashes: true });
    assert.match(without.error!, /Anonymous user is not allowed to access permissions\(s\) @db-admin/);
    const file = path.join(target.folder, 'token');
    fs.writeFileSync(file, 'secret token\n', { mode: 0o600 });
    const login = { source: source.address, hashes: true, user: 'admin', token_file: file };
    assert.equal((await pulled(target, login)).hashes!.unihashes.new, 1);
    const kept = await target.app.jobs.list(OWNER, { states: null, before: null, limit: 10 });
    assert.doesNotMatch(JSON.stringify(kept), /secret token/);
  });

  test('is for the user of the server alone: no client has it open files, or dial', async (t) => {
    const target = await serve(t);
    for (const [protocol, refused] of [
      ['OEHASHEQUIV 1.1', /only the user that the server runs as may start it/],
      ['PRSERVICE 1.0', /only the user that the server runs as may start it/],
    ] as const) {
      const client = target.connect(protocol);
      const reply = await client.ask('job-start', { kind: 'pull', parameters: { source: '/etc/passwd' } });
      assert.match(JSON.stringify(reply), refused);
    }
  });

  for (const [what, parameters, refused] of [
    [
      'a password in the address',
      { source: 'postgres://me:secret@db/x' },
      /a password does not belong into the address/,
    ],
    ['a time that is none', { source: '/x', since: 'yesterday' }, /expected the number of a row, or a time/],
    ['a token without its user', { source: '/x', token_file: '/t' }, /token_file is of no use without user/],
  ] as const)
    test(`${what} is refused before anything is kept`, async (t) => {
      const { app } = await serve(t);
      await assert.rejects(app.jobs.start(OWNER, 'pull', parameters), refused);
    });
});
