import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { createLogger } from '../../lib/log.ts';
import { startServer } from '../../lib/server.ts';
import { configIn, hash, METHOD, refusal, temporaryFolder, WireClient } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
const task = { method: METHOD, taskhash: 't1' };
const report = { ...task, outhash: 'o1', unihash: hash(1) };

/** One server with a socket for each name; what stands behind the name are its rights. */
async function doors<Name extends string>(t: TestContext, rights: Record<Name, string>, flags: object = {}) {
  const after: (() => void)[] = [];
  // Hooks run in the order they are added: the folder must outlive the server.
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const bind = Object.entries(rights).map(([name, said]) => `unix://${folder}/${name}${said ? `,${said}` : ''}`);
  const config = configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...flags });
  const server = await startServer(config, await createLogger('error', 'text', null));
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.close();
    for (const fn of after) fn();
  });
  const dial = (name: Name) => {
    const client = new WireClient(net.connect(`${folder}/${name}`));
    clients.push(client);
    return client;
  };
  return { server, folder, dial, connect: (name: Name, protocol?: string) => dial(name).handshake(protocol) };
}

describe('listeners of one server', () => {
  test('one is read-only and one is read-write, over one database and one cache', async (t) => {
    const { connect } = await doors(t, { open: '', shut: 'read-only' });
    const [writer, reader] = [connect('open'), connect('shut')];
    assert.deepEqual(await reader.ask('report', report), { ...task, unihash: hash(1) });
    assert.equal(await writer.ask('get', task), null, 'a report on the read-only one is not stored');
    await writer.ask('report', { ...report, unihash: hash(2) });
    assert.deepEqual(await reader.ask('get', task), { ...task, unihash: hash(2) });
    const other = { ...report, taskhash: 't2' };
    assert.deepEqual(await reader.ask('report', other), { method: METHOD, taskhash: 't2', unihash: hash(2) });
    assert.equal(await writer.ask('get', { method: METHOD, taskhash: 't2' }), null);
    assert.equal(await reader.ask('report-equiv', { ...task, taskhash: 't2', unihash: hash(3) }), null);
    assert.match(refusal(await reader.ask('remove', { where: { method: METHOD } })), /read-only/);
    assert.match(refusal(await reader.ask('gc-mark-stream', null)), /read-only/);
    assert.deepEqual(await writer.ask('remove', { where: { method: METHOD } }), { count: 2 });
    assert.equal(await reader.ask('get', task), null, 'the cache is one, and so is what is taken out of it');
  });

  test('with pr=read-only PR commands are answered as a read-only server does, and hashes are stored', async (t) => {
    const { connect } = await doors(t, { open: '', shut: 'pr=read-only' });
    const [writer, reader] = [connect('open', PRSERV), connect('shut', PRSERV)];
    await writer.ask('get-pr', { ...PKG, checksum: 'c0' });
    assert.deepEqual(await reader.ask('is-readonly', {}), { readonly: true });
    for (const checksum of ['new', 'newer', 'new'])
      assert.deepEqual(await reader.ask('get-pr', { ...PKG, checksum }), { value: '1' });
    assert.deepEqual(await reader.ask('get-pr', { ...PKG, checksum: 'c0' }), { value: '0' });
    assert.equal(await reader.ask('import-one', { ...PKG, checksum: 'x', value: '7' }), null);
    assert.match(refusal(await reader.ask('remove', PKG)), /read-only/);
    assert.deepEqual(await writer.ask('is-readonly', {}), { readonly: false });
    assert.deepEqual(await writer.ask('max-package-pr', PKG), { value: '0' });
    const hashes = connect('shut');
    await hashes.ask('report', report);
    assert.deepEqual(await connect('open').ask('get', task), { ...task, unihash: hash(1) });
  });

  test('with pr=none every PR command but ping is refused, also in the plain form', async (t) => {
    const { connect, dial } = await doors(t, { shut: 'pr=none' });
    const client = connect('shut', PRSERV);
    assert.match(refusal(await client.ask('get-pr', { ...PKG, checksum: 'c' })), /does not serve these commands/);
    assert.match(refusal(await client.ask('is-readonly', {})), /does not serve/);
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
    const plain = dial('shut');
    plain.send(`${JSON.stringify({ id: 1, method: 'max-package-pr', params: PKG })}\n`);
    assert.match((await plain.line())!, /does not serve these commands/);
    assert.equal(await connect('shut').ask('get', task), null);
  });

  test('another protocol than those of services= is closed on as an unknown one, and unknown in the plain form', async (t) => {
    const { dial, connect } = await doors(t, { hashes: 'services=hashserv', prs: 'services=prserv' });
    for (const [name, protocol] of [
      ['hashes', PRSERV],
      ['prs', 'OEHASHEQUIV 1.1'],
      ['hashes', 'NONE 1.0'],
    ] as const) {
      const client = dial(name).handshake(protocol);
      client.send('{"ping": {}}\n');
      assert.equal(await client.line(), null, `${protocol} on ${name}`);
    }
    assert.deepEqual(await connect('hashes').ask('ping', {}), { alive: true });
    assert.deepEqual(await connect('prs', PRSERV).ask('ping', {}), { alive: true });
    const plain = dial('hashes');
    plain.send(`${JSON.stringify({ id: 1, method: 'get-pr', params: { ...PKG, checksum: 'c' } })}\n`);
    assert.match((await plain.line())!, /Unknown command \\"get-pr\\"/);
    plain.send(`${JSON.stringify({ id: 2, service: 'PRSERVICE', method: 'ping' })}\n`);
    assert.match((await plain.line())!, /service must be one of OEHASHEQUIV"/);
  });

  test('each has its own anonymous permissions: also what a login adds to, and whether PR rows can be removed', async (t) => {
    const rights = { all: '', read: 'anon-perms=@read', none: 'anon-perms=@none', admin: 'anon-perms=@db-admin' };
    const admin = { 'admin-user': 'admin', 'admin-password': 'secret' };
    const { connect } = await doors(t, rights, { ...admin, 'anon-perms': '@report' });
    const allowed = async (name: keyof typeof rights) => {
      const client = connect(name);
      const reply = (await client.ask('get', task)) as { 'invoke-error'?: unknown } | null;
      const count = (await client.ask('gc-status', {})) as { 'invoke-error'?: unknown };
      const removed = await connect(name, PRSERV).ask('remove', PKG);
      return [reply === null, !('invoke-error' in count), 'count' in (removed as object)];
    };
    assert.deepEqual(await allowed('all'), [false, false, false], 'the global option holds where nothing is said');
    assert.deepEqual(await allowed('read'), [true, false, false]);
    assert.deepEqual(await allowed('none'), [false, false, false]);
    assert.deepEqual(await allowed('admin'), [false, true, true]);
    const client = connect('none');
    await client.ask('auth', { username: 'admin', token: 'secret' });
    assert.equal(await client.ask('get', task), null);
  });

  test('a read-only one keeps nothing of what an upstream answers, a read-write one does', async (t) => {
    const up = await doors(t, { up: '' });
    await up.connect('up').ask('report', report);
    const address = `unix://${up.folder}/up`;
    const { connect } = await doors(t, { open: '', shut: 'read-only' }, { 'hashserv-upstream': address });
    const rows = async () =>
      ((await connect('open').ask('get-db-usage', {})) as { usage: Record<string, { rows: number }> }).usage
        .unihashes_v3!.rows;
    const reader = connect('shut');
    assert.deepEqual(await reader.ask('get', task), { ...task, unihash: hash(1) });
    assert.equal(await reader.ask('get-stream', null), 'ok');
    reader.send(`${METHOD} t1\nEND\n`);
    assert.deepEqual([await reader.line(), await reader.line()], [hash(1), 'ok']);
    await reader.ask('get-outhash', { ...task, outhash: 'o1' });
    await reader.ask('backfill-wait', null);
    assert.equal(await rows(), 0);
    await connect('open').ask('get', task);
    assert.equal(await rows(), 1);
  });

  test('a WebSocket listener has rights too', async (t) => {
    const folder = temporaryFolder(t);
    const config = configIn(folder, { bind: ['ws://127.0.0.1:0,read-only'] });
    const server = await startServer(config, await createLogger('error', 'text', null));
    t.after(() => server.close());
    const client = await connectClient(server.listeners[0]!.address, { protocol: 'OEHASHEQUIV 1.1' });
    t.after(() => client.close());
    await assert.rejects(client.invoke('gc-mark', { mark: 'm', where: {} }), /read-only/);
  });
});
