import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, METHOD, refusal, serve } from './helpers.ts';
import { recordLog } from './log-recorder.ts';
import { admin, asAdmin, loggedIn } from './login-helpers.ts';

const task = { method: METHOD, taskhash: 't1' };

describe('logins that change', () => {
  test('a deleted user loses the rights on open connections', async (t) => {
    const server = await serve(t, { flags: admin });
    const client = await loggedIn(server, 'me', ['@read']);
    assert.equal(await client.ask('get', task), null);
    await (await asAdmin(server)).ask('delete-user', { username: 'me' });
    assert.match(refusal(await client.ask('get', task)), /^Anonymous user is not allowed .*@read$/);
    assert.match(refusal(await client.ask('get-user', {})), /^Anonymous user is not allowed/);
  });

  test('a user deleted and made anew is another user', async (t) => {
    const server = await serve(t, { flags: admin });
    const client = await loggedIn(server, 'me', ['@read']);
    const boss = await asAdmin(server);
    await boss.ask('delete-user', { username: 'me' });
    await boss.ask('new-user', { username: 'me', permissions: ['@all'] });
    assert.match(refusal(await client.ask('get', task)), /^Anonymous user/);
  });

  test('a demoted user loses rights, a promoted one gains them', async (t) => {
    const server = await serve(t, { flags: admin });
    const client = await loggedIn(server, 'me', ['@db-admin']);
    const boss = await asAdmin(server);
    assert.deepEqual(await client.ask('gc-status', {}), { keep: 0, remove: 0, mark: null });
    await boss.ask('set-user-perms', { username: 'me', permissions: ['@read'] });
    assert.match(refusal(await client.ask('gc-status', {})), /^me is not allowed/);
    client.send('{"gc-mark-stream": null}\n');
    assert.match(refusal(await client.message()), /^me is not allowed/);
    assert.equal(await client.ask('get', task), null);
  });

  test('a replaced token ends the logins made with it, but for that of the client who replaced it', async (t) => {
    const server = await serve(t, { flags: admin });
    const boss = await asAdmin(server);
    const made = (await boss.ask('new-user', { username: 'me', permissions: ['@read'] })) as { token: string };
    const [other, client] = [server.connect(), server.connect()];
    for (const each of [other, client]) await each.ask('auth', { username: 'me', token: made.token });
    const { token } = (await client.ask('refresh-token', {})) as { token: string };
    assert.match(refusal(await other.ask('get', task)), /^Anonymous user is not allowed/);
    assert.equal(await client.ask('get', task), null);
    const again = await server.connect().ask('auth', { username: 'me', token });
    assert.deepEqual(again, { result: true, username: 'me', permissions: ['@read'] });
    await boss.ask('refresh-token', { username: 'me' });
    assert.match(refusal(await client.ask('get', task)), /^Anonymous user is not allowed/);
  });

  const ENDS: readonly (readonly [string, string, Json, RegExp])[] = [
    ['was deleted', 'delete-user', { username: 'me' }, /^Anonymous user is not allowed/],
    ['was demoted', 'set-user-perms', { username: 'me', permissions: ['@read'] }, /^me is not allowed/],
    ['has a new token', 'refresh-token', { username: 'me' }, /^Anonymous user is not allowed/],
  ];
  for (const [what, command, args, says] of ENDS) {
    test(`a gc-mark-stream of a user who ${what} ends at the next line, which does nothing`, async (t) => {
      const server = await serve(t, { flags: admin });
      const boss = await asAdmin(server);
      await boss.ask('report', { ...task, outhash: 'o', unihash: hash(1) });
      const client = await loggedIn(server, 'me', ['@db-admin']);
      const line = (mark: string) => `${JSON.stringify({ mark, where: { unihash: hash(1) } })}\n`;
      client.send(`{"gc-mark-stream": null}\n${line('before')}`);
      assert.equal(await client.line(), '"ok"');
      assert.equal(await client.line(), '{"count": 1}');
      await boss.ask(command, args);
      client.send(`${line('after')}${line('after')}END\n`);
      assert.match(refusal(await client.message()), says);
      assert.equal(await client.line(), null);
      assert.deepEqual(await boss.ask('gc-status', {}), { keep: 1, remove: 0, mark: 'before' });
    });

    test(`a connection of a user who ${what} no longer acts as the one it became`, async (t) => {
      const server = await serve(t, { flags: admin });
      const boss = await asAdmin(server);
      await boss.ask('new-user', { username: 'high', permissions: ['@all'] });
      const client = await loggedIn(server, 'me', ['@user-admin']);
      await client.ask('become-user', { username: 'high' });
      assert.deepEqual(await client.ask('gc-status', {}), { keep: 0, remove: 0, mark: null });
      await boss.ask(command, args);
      assert.match(refusal(await client.ask('gc-status', {})), /^Anonymous user is not allowed/);
    });
  }

  test('a get-stream goes on when a user changed who is not its own', async (t) => {
    const server = await serve(t, { flags: admin });
    const boss = await asAdmin(server);
    const client = await loggedIn(server, 'me', ['@read']);
    client.send(`{"get-stream": null}\n${METHOD} x\n`);
    for (const answer of ['"ok"', '']) assert.equal(await client.line(), answer);
    await boss.ask('new-user', { username: 'other', permissions: [] });
    client.send(`${METHOD} y\nEND\n`);
    for (const answer of ['', 'ok']) assert.equal(await client.line(), answer);
  });
});

test('get-stats counts neither the time a failed login waits nor that of backfill-wait', async (t) => {
  const server = await serve(t, { flags: { ...admin, 'anon-perms': '@read' }, limits: { loginFailureDelayMs: 50 } });
  const client = server.connect();
  refusal(await client.ask('auth', { username: 'admin', token: 'wrong' }));
  await client.ask('backfill-wait', null);
  const { requests } = (await client.ask('get-stats', null)) as { requests: { num: number; max_time: number } };
  assert.deepEqual([requests.num, requests.max_time], [0, 0]);
});

describe('the log of logins and administration', () => {
  test('has a line for each, with the peer, the user and what it came to', async (t) => {
    const { log, lines } = recordLog();
    const limits = { loginFailureDelayMs: 1 };
    const server = await serve(t, { flags: { ...admin, 'anon-perms': '@read' }, log, limits });
    lines.length = 0;
    const guest = server.connect();
    await guest.ask('auth', { username: 'admin', token: 'wrong' });
    await guest.ask('gc-status', {});
    const boss = await asAdmin(server);
    await boss.ask('new-user', { username: 'me', permissions: ['@read', '@report'] });
    await boss.ask('set-user-perms', { username: 'me', permissions: [] });
    await boss.ask('refresh-token', { username: 'me' });
    await boss.ask('delete-user', { username: 'me' });
    await boss.ask('delete-user', { username: 'me' });
    for (const n of [1, 2, 3])
      await boss.ask('report', { ...task, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n) });
    await boss.ask('remove', { where: { taskhash: 't3' } });
    await boss.ask('gc-mark', { mark: 'm', where: { taskhash: 't1' } });
    boss.send(`{"gc-mark-stream": null}\n{"mark": "m", "where": {}}\nEND\n`);
    for (const answer of ['"ok"', '{"count": 0}', 'ok']) assert.equal(await boss.line(), answer);
    await boss.ask('gc-sweep', { mark: 'm' });
    await boss.ask('gc-sweep', { mark: 'm' });
    await boss.ask('clean-unused', { max_age_seconds: 3600 });
    const rows = (n: number) => [[METHOD, `imported ${n}`, hash(n)], ['bad']];
    for (const n of [1, 2])
      await boss.ask('import-rows', { table: 'unihashes', columns: ['method', 'taskhash', 'unihash'], rows: rows(n) });
    await server.stop();
    const by = 'peer=memory user=admin';
    assert.deepEqual(lines, [
      'warn login refused peer=memory user=anonymous as=admin',
      'warn permission refused peer=memory user=anonymous command=gc-status needs=@db-admin',
      `info user made ${by} name=me permissions=@read @report`,
      `info user changed ${by} name=me permissions=`,
      `info token of a user replaced ${by} name=me`,
      `info user deleted ${by} name=me`,
      `info rows removed ${by} where={"taskhash":"t3"} count=2`,
      `info garbage collection begun ${by} mark=m`,
      `info garbage collection swept ${by} mark=m count=1`,
      `info not done, or not wholly: garbage collection swept ${by} mark=m error='m' is not the current mark. Refusing to sweep [invoke-error]`,
      `info unused outhashes removed ${by} max_age_seconds=3600 count=0`,
      `info rows imported ${by} stored=2 present=0 refused=2`,
    ]);
  });
});
