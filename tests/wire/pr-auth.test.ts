import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Limits } from '../../lib/asyncrpc/limits.ts';
import { connectPrClient } from '../../lib/prserv/client.ts';
import { startServer } from '../../lib/server.ts';
import { resolveConfig } from '../../lib/settings/config.ts';
import { configIn, refusal, temporaryFolder, WireClient } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
const pr = { ...PKG, checksum: 'c' };
const ANONYMOUS = /^Anonymous user is not allowed to access permissions\(s\) /;

/** A server with a socket for each name, users of hash equivalence, and clients that log in. */
async function doors<Name extends string>(
  t: TestContext,
  rights: Record<Name, string>,
  flags: object = {},
  limits: Partial<Limits> = {},
) {
  const after: (() => void)[] = [];
  // Hooks run in the order they are added: the folder must outlive the server.
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const bind = Object.entries(rights).map(([name, said]) => `unix://${folder}/${name}${said ? `,${said}` : ''}`);
  const admin = { 'admin-user': 'admin', 'admin-password': 'secret', 'login-failure-delay': '0.001' };
  const recorded = recordLog();
  const config = configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...admin, ...flags }, limits);
  const server = await startServer(config, recorded.log);
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
  const connect = (name: Name, protocol?: string) => dial(name).handshake(protocol);
  const boss = connect(Object.keys(rights)[0] as Name);
  await boss.ask('auth', { username: 'admin', token: 'secret' });
  /** Makes a user; resolves to its token. */
  const user = async (username: string, ...permissions: string[]) =>
    ((await boss.ask('new-user', { username, permissions })) as { token: string }).token;
  const loggedIn = async (name: Name, username: string, token: string) => {
    const client = connect(name, PRSERV);
    const reply = (await client.ask('auth', { username, token })) as { result?: boolean };
    assert.equal(reply.result, true, JSON.stringify(reply));
    return client;
  };
  return { server, folder, boss, connect, dial, user, loggedIn, ...recorded };
}

describe('a listener with pr-auth', () => {
  test('asks PR clients for a login, and nobody else', async (t) => {
    const { connect, user, loggedIn } = await doors(t, { users: 'pr-auth', all: '' });
    const stranger = connect('users', PRSERV);
    assert.deepEqual(await stranger.ask('ping', {}), { alive: true });
    for (const [command, args] of [
      ['get-pr', pr],
      ['test-pr', pr],
      ['max-package-pr', PKG],
      ['chain-pr', pr],
      ['is-readonly', {}],
      ['export', {}],
      ['import-one', { ...pr, value: '7' }],
      ['remove', PKG],
    ] as const)
      assert.match(refusal(await stranger.ask(command, args)), ANONYMOUS, command);
    const token = await user('builder', '@read', '@report');
    assert.deepEqual(await stranger.ask('auth', { username: 'builder', token }), {
      result: true,
      username: 'builder',
      permissions: ['@read', '@report'],
    });
    assert.deepEqual(await stranger.ask('get-pr', pr), { value: '0' });
    assert.match(
      refusal(await stranger.ask('import-one', { ...pr, value: '7' })),
      /^builder is not allowed .* @db-admin$/,
    );
    const admin = await loggedIn('users', 'admin', 'secret');
    assert.deepEqual(await admin.ask('import-one', { ...pr, value: '7' }), { value: '7' });
    assert.deepEqual(await admin.ask('remove', { ...PKG, value: '7' }), { count: 1 });
    assert.deepEqual(await connect('all', PRSERV).ask('get-pr', pr), { value: '0' }, 'another listener asks for none');
    assert.deepEqual(await connect('users').ask('ping', {}), { alive: true });
    assert.equal(await connect('users').ask('get', { method: 'm', taskhash: 't' }), null);
  });

  test('has readers look up, and store nothing', async (t) => {
    const { connect, user, loggedIn } = await doors(t, { users: 'pr-auth', shut: 'pr-auth,pr=read-only' });
    const token = await user('reader', '@read');
    const reader = await loggedIn('users', 'reader', token);
    assert.match(refusal(await reader.ask('get-pr', pr)), /^reader is not allowed .* @read, @report$/);
    assert.deepEqual(await reader.ask('test-package', PKG), { value: false });
    const shut = await loggedIn('shut', 'reader', token);
    assert.deepEqual(await shut.ask('get-pr', pr), { value: '0' }, 'where nothing is stored');
    assert.deepEqual(await reader.ask('max-package-pr', PKG), { value: null });
    assert.match(refusal(await connect('shut', PRSERV).ask('get-pr', pr)), ANONYMOUS);
  });

  test('does not look at anonymous permissions, not even on a Unix socket', async (t) => {
    const { connect } = await doors(t, { users: 'pr-auth,anon-perms=@read,@report,@db-admin' });
    assert.match(refusal(await connect('users', PRSERV).ask('test-pr', pr)), ANONYMOUS);
    assert.equal(await connect('users').ask('get', { method: 'm', taskhash: 't' }), null);
  });

  test('takes the rights of a user away at once, also on an open connection', async (t) => {
    const { boss, user, loggedIn } = await doors(t, { users: 'pr-auth' });
    const first = await loggedIn('users', 'one', await user('one', '@read', '@report'));
    const second = await loggedIn('users', 'two', await user('two', '@read'));
    assert.deepEqual(await first.ask('get-pr', pr), { value: '0' });
    await boss.ask('set-user-perms', { username: 'one', permissions: ['@read'] });
    assert.match(refusal(await first.ask('get-pr', pr)), /^one is not allowed/);
    assert.deepEqual(await first.ask('test-pr', pr), { value: '0' });
    assert.deepEqual(await second.ask('test-pr', pr), { value: '0' });
    await boss.ask('delete-user', { username: 'two' });
    assert.match(refusal(await second.ask('test-pr', pr)), ANONYMOUS);
  });

  test('logs refused logins, refusals, and who removes and imports', async (t) => {
    const { connect, loggedIn, line } = await doors(t, { users: 'pr-auth' });
    const guesser = connect('users', PRSERV);
    const wrong = await guesser.ask('auth', { username: 'admin', token: 'guess' });
    assert.equal(refusal(wrong), 'Unable to authenticate as admin');
    assert.equal(await line(/login refused/), 'warn login refused peer=unix user=anonymous as=admin');
    await guesser.ask('remove', PKG);
    await line(/^warn permission refused peer=unix user=anonymous command=remove needs=@db-admin$/);
    const admin = await loggedIn('users', 'admin', 'secret');
    await admin.ask('import-one', { ...pr, value: '7' });
    await admin.ask('remove', PKG);
    assert.match(await line(/PR rows removed/), /^info PR rows removed peer=unix user=admin /);
    admin.close();
    assert.equal(await line(/PR rows imported/), 'info PR rows imported peer=unix user=admin one=1 refused=0');
  });

  test('slows guessing down together with hash equivalence', async (t) => {
    // A turn every five seconds, for logins of that user.
    const limits = { maxLoginFailures: 1, loginCautionMs: 600_000, maxCautiousLogins: 0.2 };
    const { connect } = await doors(t, { users: 'pr-auth' }, {}, limits);
    const auth = async (protocol: string, username: string) =>
      refusal(await connect('users', protocol).ask('auth', { username, token: 'guess' }));
    await auth(PRSERV, 'admin');
    const answered: string[] = [];
    const all = [auth('OEHASHEQUIV 1.1', 'admin'), auth(PRSERV, 'other'), auth('OEHASHEQUIV 1.1', 'third')];
    await Promise.all(all.map(async (each) => answered.push(await each)));
    assert.equal(answered.at(-1), 'Unable to authenticate as admin', 'it waited for its turn');
  });

  test('keeps messages short before the login', async (t) => {
    const { connect, loggedIn } = await doors(t, { users: 'pr-auth' });
    const long = { rows: 'x'.repeat(100_000), check: true };
    assert.match(refusal(await connect('users', PRSERV).ask('import-rows', long)), /longer than 65536 bytes/);
    const admin = await loggedIn('users', 'admin', 'secret');
    assert.equal(((await admin.ask('import-rows', long)) as { refused: unknown[] }).refused.length, 1);
  });

  test('holds for the plain form too', async (t) => {
    const { dial } = await doors(t, { users: 'pr-auth' });
    const plain = dial('users');
    const ask = async (method: string, params: object) => {
      plain.send(`${JSON.stringify({ id: 1, service: 'PRSERVICE', method, params })}\n`);
      return (await plain.line())!;
    };
    assert.match(await ask('get-pr', pr), /Anonymous user is not allowed/);
    assert.match(await ask('auth', { username: 'admin', token: 'secret' }), /"result": true/);
    assert.match(await ask('get-pr', pr), /"value": "0"/);
  });

  test('says so at the start', async (t) => {
    const { lines } = await doors(t, { users: 'pr-auth', shut: 'pr-auth,read-only' });
    const said = lines.filter((line) => /listening on/.test(line));
    assert.match(said[0]!, /; PR values read-write for users who log in$/);
    assert.match(said[1]!, /; PR values read-only for users who log in$/);
  });

  test('is refused where there are no users, or no PR values', () => {
    const resolve =
      (bind: string, flags = {}) =>
      () =>
        resolveConfig({ bind: [bind], ...flags }, {});
    const users = /pr-auth needs the users of hash equivalence, which is not served/;
    assert.throws(resolve(':1,pr-auth', { hashserv: false }), { code: 'config-error', message: users });
    for (const none of [':1,pr-auth,pr=none', ':1,pr-auth,services=hashserv'])
      assert.throws(resolve(none), /pr-auth says something of a service that is not served there/);
  });
});

test('a PR login where none is asked for is no command, and the client library says so', async (t) => {
  const { connect, folder } = await doors(t, { all: '' });
  const login = { username: 'admin', token: 'secret' };
  assert.equal(refusal(await connect('all', PRSERV).ask('auth', login)), 'Unknown command "auth"');
  const asked = connectPrClient(`unix://${folder}/all`, { login });
  await assert.rejects(asked, { code: 'invoke-error', message: /asks PR clients for no login/ });
});

test('the client library logs in on every connection', async (t) => {
  const { folder, connect } = await doors(t, { users: 'pr-auth' });
  const login = { username: 'admin', token: 'secret' };
  const sockets: net.Socket[] = [];
  const dial = async () => {
    const stream = net.connect(`${folder}/users`);
    sockets.push(stream);
    return { stream, chunked: true };
  };
  const client = await connectPrClient(`unix://${folder}/users`, { login, dial });
  t.after(() => client.close());
  assert.equal(await client.getPr(pr), '0');
  sockets[0]!.destroy();
  assert.equal(await client.maxPackagePr(PKG.version, PKG.pkgarch), '0');
  assert.equal(sockets.length, 2);
  const wrong = connectPrClient(`unix://${folder}/users`, { login: { ...login, token: 'guess' } });
  await assert.rejects(wrong, { code: 'invoke-error', message: 'Unable to authenticate as admin' });
  assert.match(refusal(await connect('users', PRSERV).ask('get-pr', pr)), ANONYMOUS);
});

describe('a server whose PR upstream asks for a login', () => {
  test('logs in there, and gives values under its own', async (t) => {
    const up = await doors(t, { users: 'pr-auth' });
    const token = await up.user('below', '@read');
    const admin = await up.loggedIn('users', 'admin', 'secret');
    await admin.ask('import-one', { ...pr, value: '7' });
    const upstream = {
      'prserv-upstream': `unix://${up.folder}/users`,
      'prserv-upstream-user': 'below',
      'prserv-upstream-token': token,
    };
    const { connect } = await doors(t, { all: '' }, upstream);
    assert.deepEqual(await connect('all', PRSERV).ask('get-pr', pr), { value: '7' });
    assert.deepEqual(await connect('all', PRSERV).ask('get-pr', { ...pr, checksum: 'new' }), { value: '7.0' });
  });

  test('has no upstream while the login is refused, and invents nothing', async (t) => {
    const up = await doors(t, { users: 'pr-auth' });
    const upstream = {
      'prserv-upstream': `unix://${up.folder}/users`,
      'prserv-upstream-user': 'admin',
      'prserv-upstream-token': 'wrong',
    };
    const { connect, line } = await doors(t, { all: '' }, upstream);
    const reply = await connect('all', PRSERV).ask('get-pr', pr);
    assert.match(refusal(reply), /upstream PR server does not answer and nothing is known of this package/);
    assert.doesNotMatch(await line(/the login is refused: Unable to authenticate as admin/), /wrong/);
  });

  test('has no upstream without a login either', async (t) => {
    const up = await doors(t, { users: 'pr-auth' });
    const { connect } = await doors(t, { all: '' }, { 'prserv-upstream': `unix://${up.folder}/users` });
    assert.match(refusal(await connect('all', PRSERV).ask('get-pr', pr)), /nothing is known of this package/);
  });
});
