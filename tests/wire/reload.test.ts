import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createLogger } from '../../lib/log.ts';
import { startServer } from '../../lib/server.ts';
import { eventually } from '../e2e/helpers.ts';
import { configIn, hash, METHOD, refusal, temporaryFolder, WireClient } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
const task = { method: METHOD, taskhash: 't1' };
const report = { ...task, outhash: 'o1', unihash: hash(1) };

/** A server with a socket for each name, and a way to give it others settings. */
async function running<Name extends string>(t: TestContext, rights: Record<Name, string>, flags: object = {}) {
  const after: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const settings = (said: Partial<Record<Name, string>>, more: object = {}) => {
    const bind = Object.entries(said).map(([name, text]) => `unix://${folder}/${name}${text ? `,${text}` : ''}`);
    return configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...flags, ...more });
  };
  const server = await startServer(settings(rights), await createLogger('error', 'text', null));
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.close();
    for (const fn of after) fn();
  });
  const connect = (name: Name, protocol?: string) => {
    const client = new WireClient(net.connect(`${folder}/${name}`));
    clients.push(client);
    return client.handshake(protocol);
  };
  return {
    server,
    folder,
    connect,
    takeOver: (said: Partial<Record<Name, string>>, more?: object) => server.takeOver(settings(said, more)),
  };
}

describe('new rights of a listener', () => {
  test('are those of the next client, and who is connected to it with more is let go with its answers', async (t) => {
    const { connect, takeOver } = await running(t, { open: '', other: '' });
    const [before, other] = [connect('open'), connect('other')];
    assert.deepEqual(await before.ask('report', report), { ...task, unihash: hash(1) });
    assert.deepEqual(await other.ask('get', task), { ...task, unihash: hash(1) });
    assert.deepEqual(await takeOver({ open: 'read-only', other: '' }), {
      taken: ['the rights of listeners'],
      later: [],
      faults: [],
    });
    assert.equal(await before.line(), null, 'the connection with the old rights is over');
    const now = connect('open');
    assert.match(refusal(await now.ask('gc-mark', { mark: 'm', where: {} })), /read-only/);
    assert.deepEqual(
      await other.ask('gc-mark', { mark: 'm', where: {} }),
      { count: 0 },
      'another listener keeps its own',
    );
  });

  test('that are more disconnect nobody', async (t) => {
    const { connect, takeOver, server } = await running(t, { door: 'read-only,anon-perms=@read' });
    const before = connect('door');
    assert.equal(await before.ask('get', task), null);
    await takeOver({ door: '' });
    assert.match(refusal(await before.ask('report-equiv', { ...task, unihash: hash(1) })), /read-only|not allowed/);
    const now = connect('door');
    assert.deepEqual(await now.ask('report', report), { ...task, unihash: hash(1) });
    assert.equal(server.listeners[0]!.report.hashserv, 'read-write', 'status tells the rights as they are now');
  });

  test('hold for the services and PR values of it, and for what everybody may do without a login', async (t) => {
    const { connect, takeOver } = await running(t, { door: '' });
    const [hashes, prs] = [connect('door'), connect('door', PRSERV)];
    assert.deepEqual(await hashes.ask('gc-status', {}), { keep: 0, remove: 0, mark: null });
    assert.deepEqual(await prs.ask('get-pr', { ...PKG, checksum: 'c' }), { value: '0' });
    await takeOver({ door: 'pr=none' });
    assert.deepEqual([await hashes.line(), await prs.line()], [null, null]);
    assert.match(refusal(await connect('door', PRSERV).ask('max-package-pr', PKG)), /does not serve/);
    const open = connect('door');
    assert.deepEqual(await open.ask('gc-status', {}), { keep: 0, remove: 0, mark: null });
    await takeOver({ door: '' }, { 'anon-perms': '@read' });
    assert.equal(await open.line(), null, 'a change of --anon-perms is one of each listener that does not say');
    assert.match(refusal(await connect('door').ask('gc-status', {})), /Anonymous user is not allowed/);
    assert.match(refusal(await connect('door', PRSERV).ask('remove', PKG)), /removed from a local address only/);
    assert.deepEqual((await takeOver({ door: '' }, { 'anon-perms': '@read' })).taken, []);
  });

  test('reach a client whose handshake was under way, and a stream that is open', async (t) => {
    const { connect, takeOver, folder } = await running(t, { door: '' });
    const half = new WireClient(net.connect(`${folder}/door`));
    t.after(() => half.close());
    half.send('OEHASHEQUIV 1.1\n');
    const stream = connect('door');
    assert.equal(await stream.ask('get-stream', null), 'ok');
    stream.send(`${METHOD} t1\n`);
    assert.equal(await stream.line(), '');
    await takeOver({ door: 'services=prserv' });
    assert.deepEqual([await half.line(), await stream.line()], [null, null]);
  });

  test('of addresses that are new, gone or changed otherwise wait for the next start', async (t) => {
    const { takeOver, folder } = await running(t, { a: '', b: '' });
    const { taken, later } = await takeOver({ b: 'socket-mode=0600', c: '' } as never);
    assert.deepEqual(taken, []);
    assert.deepEqual(later, [
      `bind (unix://${folder}/a is there no more)`,
      `bind (unix://${folder}/b)`,
      `bind (unix://${folder}/c is new)`,
    ]);
  });
});

test('the password of the administrator is taken over where it changed, and the old one ends', async (t) => {
  const admin = { 'admin-user': 'admin', 'admin-password': 'old' };
  const { connect, takeOver } = await running(t, { door: '' }, admin);
  const login = (token: string) => connect('door').ask('auth', { username: 'admin', token });
  const open = connect('door');
  assert.equal(((await open.ask('auth', { username: 'admin', token: 'old' })) as { result: boolean }).result, true);
  const { token } = (await open.ask('refresh-token', {})) as { token: string };
  assert.deepEqual((await takeOver({ door: '' })).taken, [], 'what a client set stays while the settings stay');
  assert.equal(((await login(token)) as { result: boolean }).result, true);
  assert.deepEqual((await takeOver({ door: '' }, { 'admin-password': 'new' })).taken, ['the password of admin']);
  assert.equal(((await login('new')) as { result: boolean }).result, true);
  assert.match(refusal(await login(token)), /Unable to authenticate/);
  assert.match(refusal(await open.ask('get-all-users', {})), /not allowed/);
});

test('a login at the upstream is taken over from the file it is in, and one that is wrong changes nothing', async (t) => {
  const up = await running(
    t,
    { up: 'anon-perms=@none' },
    { 'admin-user': 'admin', 'admin-password': 'right', 'anon-perms': '@none' },
  );
  const writer = up.connect('up');
  await writer.ask('auth', { username: 'admin', token: 'right' });
  await writer.ask('report', report);
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'token');
  const write = (token: string) => fs.writeFileSync(file, token, { mode: 0o600 });
  write('wrong');
  const login = { 'hashserv-upstream-user': 'admin', 'hashserv-upstream-token-file': file };
  const down = await running(t, { door: '' }, { 'hashserv-upstream': `unix://${up.folder}/up`, ...login });
  const client = down.connect('door');
  assert.equal(await client.ask('get', task), null, 'the upstream refuses the login: a miss');
  fs.rmSync(file);
  assert.throws(() => down.takeOver({ door: 'read-only' }), /cannot read/);
  write('right');
  assert.deepEqual((await down.takeOver({ door: '' })).taken, [`the login at unix://${up.folder}/up`]);
  await eventually(20_000, async () => {
    assert.deepEqual(await client.ask('get', task), { ...task, unihash: hash(1) });
  });
});

test('settings that are wrong in one point change nothing at all', async (t) => {
  const up = await running(t, { up: '' });
  const upstream = { 'hashserv-upstream': `unix://${up.folder}/up` };
  const { connect, takeOver, server } = await running(t, { door: '' }, upstream);
  const client = connect('door');
  assert.equal(await client.ask('get', task), null);
  const nobody = { 'hashserv-upstream-user': 'nobody-in-netrc', 'anon-perms': '@none' };
  await assert.rejects(takeOver({ door: 'read-only' }, nobody), /nobody-in-netrc: no token for/);
  assert.deepEqual(await client.ask('report', report), { ...task, unihash: hash(1) });
  assert.equal(server.listeners[0]!.report.hashserv, 'read-write');
  assert.deepEqual(await connect('door').ask('get', task), { ...task, unihash: hash(1) });
});
