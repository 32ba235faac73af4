import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { duplexPair, hash, METHOD, refusal, type Served, serve, type WireClient } from './helpers.ts';
import { admin, asAdmin, loggedIn } from './login-helpers.ts';

const task = { method: METHOD, taskhash: 't1' };
const report = { ...task, outhash: 'o1', unihash: hash(1) };
const PERMISSIONS = ['@read', '@report', '@db-admin', '@user-admin'];

/** Every command that needs something: what, and an argument that is in order. */
const COMMANDS: readonly (readonly [command: string, needs: readonly string[], args: Json])[] = [
  ['get', ['@read'], task],
  ['get-outhash', ['@read'], { ...task, outhash: 'o1' }],
  ['get-stream', ['@read'], null],
  ['exists-stream', ['@read'], null],
  ['report', ['@read'], report],
  ['report-equiv', ['@read', '@report'], report],
  ['get-stats', ['@read'], null],
  ['reset-stats', ['@db-admin'], null],
  ['backfill-wait', ['@read'], null],
  ['remove', ['@db-admin'], { where: { taskhash: 'none' } }],
  ['gc-mark', ['@db-admin'], { mark: 'm', where: {} }],
  ['gc-mark-stream', ['@db-admin'], null],
  ['gc-status', ['@db-admin'], {}],
  ['gc-sweep', ['@db-admin'], { mark: 'm' }],
  ['clean-unused', ['@db-admin'], { max_age_seconds: 1 }],
  ['get-db-usage', ['@db-admin'], {}],
  ['get-db-query-columns', ['@db-admin'], {}],
  ['get-user', ['@user-admin'], { username: 'other' }],
  ['get-all-users', ['@user-admin'], {}],
  ['new-user', ['@user-admin'], { username: 'fresh', permissions: [] }],
  ['set-user-perms', ['@user-admin'], { username: 'other', permissions: [] }],
  ['delete-user', ['@user-admin'], { username: 'other' }],
  ['refresh-token', ['@user-admin'], { username: 'other' }],
  ['become-user', ['@user-admin'], { username: 'other' }],
];

/** What the server says of missing permissions, or null where it does not mind. */
async function denial(client: WireClient, command: string, args: Json): Promise<string | null> {
  const reply = await client.ask(command, args);
  if (reply === 'ok') {
    client.send('END\n');
    assert.equal(await client.line(), 'ok');
    return null;
  }
  const message = (reply as { 'invoke-error'?: { message: string } } | null)?.['invoke-error']?.message ?? '';
  return message.includes('is not allowed to access') ? message : null;
}

describe('permissions', () => {
  test('an anonymous client is told what each command needs', async (t) => {
    const client = (await serve(t, { flags: { 'anon-perms': '@none' } })).connect();
    for (const [command, needs, args] of COMMANDS) {
      const expected = `Anonymous user is not allowed to access permissions(s) ${needs.join(', ')}`;
      assert.equal(await denial(client, command, args), expected, command);
    }
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });

  for (const permission of PERMISSIONS) {
    test(`a user with ${permission} may do what needs it and nothing else`, async (t) => {
      const server = await serve(t, { flags: admin });
      await (await asAdmin(server)).ask('new-user', { username: 'other', permissions: [permission] });
      const client = await loggedIn(server, 'me', [permission]);
      for (const [command, needs, args] of COMMANDS) {
        const allowed = needs.every((need) => need === permission);
        const expected = allowed ? null : `me is not allowed to access permissions(s) ${needs.join(', ')}`;
        assert.equal(await denial(client, command, args), expected, command);
      }
    });
  }

  test('a user with @all may do everything', async (t) => {
    const server = await serve(t, { flags: admin });
    const client = await loggedIn(server, 'me', ['@all']);
    for (const [command, , args] of COMMANDS) assert.equal(await denial(client, command, args), null, command);
  });

  test('an anonymous permission counts for a logged-in user too', async (t) => {
    const server = await serve(t, { flags: { ...admin, 'anon-perms': '@read' } });
    const client = await loggedIn(server, 'me', []);
    assert.equal(await client.ask('get', task), null);
    assert.match(refusal(await client.ask('report-equiv', report)), /^me is not allowed/);
  });

  test('user management is not open to anonymous clients, not even for their own name', async (t) => {
    const client = (await serve(t)).connect();
    for (const command of ['get-user', 'delete-user', 'refresh-token'])
      for (const args of [null, {}, { username: null }, { username: 'x' }])
        assert.match(refusal(await client.ask(command, args)), /^Anonymous user is not allowed .*@user-admin$/);
  });

  test('who may read but not report is answered from what is known, and nothing is stored', async (t) => {
    const server = await serve(t, { flags: { ...admin, 'anon-perms': '@read' } });
    const reader = server.connect();
    assert.deepEqual(await reader.ask('report', report), { ...task, unihash: hash(1) });
    assert.equal(await reader.ask('get', task), null);
    const reporter = await loggedIn(server, 'me', ['@report']);
    await reporter.ask('report', { ...report, unihash: hash(2) });
    const echoed = await reader.ask('report', { ...report, taskhash: 't2', unihash: hash(3) });
    assert.deepEqual(echoed, { method: METHOD, taskhash: 't2', unihash: hash(2) });
    assert.equal(await reader.ask('get', { ...task, taskhash: 't2' }), null);
  });

  test('the name of a logged-in user stands for the owner a report names', async (t) => {
    const server = await serve(t, { flags: admin });
    const client = await loggedIn(server, 'me', ['@read', '@report']);
    await client.ask('report', { ...report, owner: 'somebody else' });
    assert.equal(((await client.ask('get', { ...task, all: true })) as { owner: string }).owner, 'me');
  });

  test('on other than local addresses an anonymous client may not administer the database', async (t) => {
    const remote = {
      name: 'a remote address',
      open: async (app: Served['app']) => {
        const connect = () => {
          const [client, server] = duplexPair();
          app.hub.accept(server, { name: '192.0.2.1:1', address: '192.0.2.1', local: false });
          return client;
        };
        return { connect, close: async () => {} };
      },
    };
    const client = (await serve(t, { transport: remote })).connect();
    for (const [command, needs, args] of COMMANDS) {
      const allowed = needs.every((need) => need === '@read' || need === '@report');
      assert.equal((await denial(client, command, args)) === null, allowed, command);
    }
  });
});

describe('users', () => {
  test('become-user: the connection acts as that user', async (t) => {
    const server = await serve(t, { flags: { ...admin, 'anon-perms': '@read' } });
    const client = await asAdmin(server);
    await client.ask('new-user', { username: 'me', permissions: ['@report', '@read'] });
    assert.match(refusal(await client.ask('become-user', { username: 'nobody' })), /nobody/);
    const became = await client.ask('become-user', { username: 'me' });
    assert.deepEqual(became, { username: 'me', permissions: ['@read', '@report'] });
    assert.match(refusal(await client.ask('get-all-users', {})), /^me is not allowed/);
    await client.ask('report', report);
    assert.equal(((await client.ask('get', { ...task, all: true })) as { owner: string }).owner, 'me');
    assert.deepEqual(await client.ask('delete-user', {}), { username: 'me' });
    assert.match(refusal(await client.ask('report-equiv', report)), /^Anonymous user/);
  });

  test('replies spell @all out, auth does not, @none is dropped', async (t) => {
    const server = await serve(t, { flags: admin });
    const five = ['@all', '@db-admin', '@read', '@report', '@user-admin'];
    const client = server.connect();
    const auth = await client.ask('auth', { username: 'admin', token: 'secret' });
    assert.deepEqual(auth, { result: true, username: 'admin', permissions: ['@all'] });
    assert.deepEqual(await client.ask('get-user', {}), { username: 'admin', permissions: five });
    const made = (await client.ask('new-user', {
      username: 'a',
      permissions: ['@none', '@report', '@read', '@read'],
    })) as {
      token: string;
    };
    assert.deepEqual({ ...made, token: '' }, { username: 'a', permissions: ['@read', '@report'], token: '' });
    assert.match(made.token, /^[A-Za-z0-9._]{64}$/);
    const users = [
      { username: 'a', permissions: ['@read', '@report'] },
      { username: 'admin', permissions: five },
    ];
    assert.deepEqual(await client.ask('get-all-users', {}), { users });
    const all = await client.ask('set-user-perms', { username: 'a', permissions: ['@all'] });
    assert.deepEqual(all, { username: 'a', permissions: five });
  });

  test('what is wrong with a user is said', async (t) => {
    const client = await asAdmin(await serve(t, { flags: admin }));
    const cases: readonly (readonly [string, Json, RegExp])[] = [
      ['new-user', { username: 'admin', permissions: [] }, /Cannot create new user 'admin'/],
      ['new-user', { username: 'x', permissions: ['@wrong'] }, /Unknown permissions @wrong/],
      ['new-user', { username: 'x', permissions: '@read' }, /Unexpected type for permissions/],
      ['new-user', { username: 'x', permissions: [5] }, /permissions/],
      ['new-user', { username: '', permissions: [] }, /username is empty/],
      ['new-user', { permissions: [] }, /username is missing/],
      ['set-user-perms', { username: 'x', permissions: [] }, /No user named 'x' exists/],
      ['delete-user', { username: 'x' }, /No user named 'x' exists/],
      ['refresh-token', { username: 'x' }, /No user named 'x' exists/],
      ['auth', { username: 'x' }, /token is missing/],
      ['auth', { username: 'x', token: 5 }, /token must be string/],
    ];
    for (const [command, args, says] of cases) assert.match(refusal(await client.ask(command, args)), says);
    assert.equal(await client.ask('get-user', { username: 'x' }), null);
  });

  test('failed logins look alike, whoever they are for, and none is answered early', async (t) => {
    const server = await serve(t, { flags: admin });
    const started = performance.now();
    const answers = ['admin', 'nobody', '__proto__'].map(async (username) => {
      const message = refusal(await server.connect().ask('auth', { username, token: 'wrong' }));
      assert.equal(message, `Unable to authenticate as ${username}`);
    });
    await Promise.all(answers);
    assert.ok(performance.now() - started >= 990, 'a failed login is answered after a second');
  });

  test('a hundred clients that log in at once are all let in', async (t) => {
    const server = await serve(t, { flags: admin });
    const clients = Array.from({ length: 100 }, () => server.connect());
    const replies = await Promise.all(
      clients.map((client) => client.ask('auth', { username: 'admin', token: 'secret' })),
    );
    for (const reply of replies) assert.equal((reply as { result?: boolean }).result, true);
  });

  test('the last administrator cannot be deleted or demoted, the last but one can', async (t) => {
    const server = await serve(t, { flags: admin });
    const boss = await asAdmin(server);
    const last = /^'admin' is the last user who may manage users: make another one first$/;
    assert.match(refusal(await boss.ask('delete-user', {})), last);
    assert.match(refusal(await boss.ask('set-user-perms', { username: 'admin', permissions: ['@read'] })), last);
    await boss.ask('new-user', { username: 'second', permissions: ['@user-admin'] });
    assert.deepEqual(await boss.ask('delete-user', {}), { username: 'admin' });
  });

  test('a right login is let in whatever wrong ones did, of the same user from the same address too', async (t) => {
    const server = await serve(t, { flags: admin, limits: { loginFailureDelayMs: 10 } });
    const guesser = async (username: string) => {
      const client = server.connect();
      for (let i = 0; i < 12; i++) refusal(await client.ask('auth', { username, token: `wrong ${i}` }));
    };
    const guessers = Array.from({ length: 12 }, (_, i) => guesser(i % 2 ? 'admin' : `made up ${i}`));
    for (let i = 0; i < 10; i++) {
      const reply = await server.connect().ask('auth', { username: 'admin', token: 'secret' });
      assert.deepEqual(reply, { result: true, username: 'admin', permissions: ['@all'] });
    }
    await Promise.all(guessers);
    await asAdmin(server);
  });

  test('a login whose client hung up before its turn is not looked at, and holds nobody up', async (t) => {
    let looked = 0;
    const log = { ...SILENT, warn: (message: string) => void (message === 'login refused' && looked++) };
    const ends: Duplex[] = [];
    const server = await serve(t, {
      log,
      transport: {
        name: 'streams with both ends',
        open: async (app) => ({ connect: () => both(app), close: async () => {} }),
      },
      flags: admin,
      limits: { maxLoginFailures: 1, maxCautiousLogins: 1 },
    });
    const both = (app: Served['app']) => {
      const [client, end] = duplexPair();
      app.hub.accept(end, { name: 'a client', address: '192.0.2.1', local: false });
      ends.push(end);
      return client;
    };
    const wrong = { username: 'admin', token: 'wrong' };
    const boss = await asAdmin(server);
    refusal(await server.connect().ask('auth', wrong));
    const leavers = Array.from({ length: 6 }, () => server.connect());
    for (const [i, leaver] of leavers.entries()) {
      await leaver.ask('ping', {});
      leaver.send(`${JSON.stringify({ auth: wrong })}\n`);
      // Those before have been found in the database by then, and wait for their turn; those after have not.
      if (i === 2) await boss.ask('get-user', { username: 'x' });
    }
    // Not by the end of what they send: whoever has said all may still wait for the answer.
    for (const end of ends.slice(2)) end.destroy();
    await asAdmin(server);
    assert.equal(looked, 1);
  });

  test('the administrator of the command line is reset at every start', async (t) => {
    const { folder } = await serve(t, { flags: admin });
    const again = await serve(t, { folder, flags: { ...admin, 'admin-password': 'other' } });
    const auth = await again.connect().ask('auth', { username: 'admin', token: 'other' });
    assert.deepEqual(auth, { result: true, username: 'admin', permissions: ['@all'] });
  });
});
