import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { startServer } from '../../lib/server.ts';
import { configIn, hash, METHOD, refusal, temporaryFolder, WireClient } from './helpers.ts';

const task = { method: METHOD, taskhash: 't1' };
const report = { ...task, outhash: 'o1', unihash: hash(1) };
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };

interface Line {
  readonly [key: string]: unknown;
}

/** A server with an access log. */
async function logged(t: TestContext, flags: object = {}) {
  const after: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const file = path.join(folder, 'access');
  const bind = `unix://${folder}/s`;
  const config = configIn(folder, { bind: [bind], 'sync-mode': 'on_shutdown', 'access-log': file, ...flags });
  const server = await startServer(config, SILENT);
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.close();
    for (const fn of after) fn();
  });
  const dial = () => {
    const client = new WireClient(net.connect(`${folder}/s`));
    clients.push(client);
    return client;
  };
  return {
    server,
    bind,
    dial,
    connect: (protocol?: string) => dial().handshake(protocol),
    /** What is in the log once the server has stopped, and its text. */
    async lines(): Promise<{ lines: Line[]; text: string }> {
      for (const client of clients) client.close();
      await server.close();
      const text = fs.readFileSync(file, 'utf8');
      return {
        text,
        lines: text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
      };
    },
  };
}

const figures = ({ kind, command, result }: Line) => [kind, command, result];

describe('the access log', () => {
  test('has a line for each request with who asked, what, and what became of it', async (t) => {
    const { connect, lines, bind } = await logged(t);
    const client = connect();
    assert.equal(await client.ask('get', task), null);
    await client.ask('report', report);
    assert.match(refusal(await client.ask('report', { ...report, unihash: 'x' })), /Invalid unihash/);
    assert.match(refusal(await client.ask('no-such', {})), /Unknown command/);
    const found = await client.ask('get', task);
    const { lines: all } = await lines();
    assert.deepEqual(all.map(figures), [
      ['request', 'get', 'miss'],
      ['request', 'report', 'ok'],
      ['request', 'report', 'invoke-error'],
      ['request', null, 'invoke-error'],
      ['request', 'get', 'ok'],
      ['connection', undefined, undefined],
    ]);
    const { time, ms, ...last } = all[4]!;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(typeof ms === 'number' && ms >= 0);
    assert.deepEqual(last, {
      kind: 'request',
      peer: 'unix',
      listener: bind,
      user: null,
      service: 'OEHASHEQUIV',
      command: 'get',
      result: 'ok',
      bytes: JSON.stringify(found).replaceAll('":"', '": "').replaceAll('","', '", "').length,
    });
    assert.deepEqual([all[5]!.requests, all[5]!.lines], [5, 0]);
  });

  test('has one line for all lines of a stream, from memory or not, and says when the client left it', async (t) => {
    const { connect, dial, lines } = await logged(t);
    const client = connect();
    await client.ask('report', report);
    assert.equal(await client.ask('get-stream', null), 'ok');
    for (let round = 0; round < 3; round++) {
      client.send(`${METHOD} t1\n${METHOD} none\n`.repeat(50));
      for (let i = 0; i < 50; i++) assert.deepEqual([await client.line(), await client.line()], [hash(1), '']);
    }
    client.send('END\n');
    assert.equal(await client.line(), 'ok');
    assert.equal(await client.ask('get-stream', null), 'ok');
    client.send(`${METHOD} t1\n`);
    assert.equal(await client.line(), hash(1));
    client.close();
    const plain = dial();
    plain.send(`${JSON.stringify({ id: 1, method: 'get-stream', params: { lines: [`${METHOD} t1`] } })}\n`);
    await plain.line();
    const { lines: all } = await lines();
    const streams = all.filter(({ kind }) => kind === 'stream');
    assert.deepEqual(
      streams.map(({ command, result, lines, bytes }) => [command, result, lines, bytes]),
      [
        ['get-stream', 'ok', 300, 150 * 66],
        ['get-stream', 'closed', 1, 65],
        ['get-stream', 'ok', 1, 65],
      ],
    );
    const connections = all.filter(({ kind }) => kind === 'connection');
    assert.deepEqual(connections.map(({ requests, lines }) => [requests, lines]).sort(), [
      [1, 1],
      [3, 301],
    ]);
  });

  test('names the user a client is logged in as, and never a token, a password or what was reported', async (t) => {
    const secret = 'the-secret-token';
    const { connect, lines } = await logged(t, { 'admin-user': 'admin', 'admin-password': secret });
    const client = connect();
    assert.match(refusal(await client.ask('auth', { username: 'admin', token: 'guessed-token' })), /Unable/);
    await client.ask('auth', { username: 'admin', token: secret });
    const made = (await client.ask('new-user', { username: 'ünï\u202e', permissions: ['@read'] })) as { token: string };
    await client.ask('report', { ...report, outhash_siginfo: 'the-siginfo' });
    const other = connect();
    await other.ask('auth', { username: 'ünï\u202e', token: made.token });
    await other.ask('get', task);
    const { lines: all, text } = await lines();
    for (const each of [secret, 'guessed-token', made.token, 'the-siginfo', hash(1)])
      assert.ok(!text.includes(each), `${each} is in the log`);
    assert.match(text, /^[\x20-\x7e\n]*$/, 'no character of a client that a terminal would obey');
    assert.deepEqual(
      all.filter(({ kind }) => kind === 'request').map(({ command, user, result }) => [command, user, result]),
      [
        ['auth', null, 'invoke-error'],
        ['auth', 'admin', 'ok'],
        ['new-user', 'admin', 'ok'],
        ['report', 'admin', 'ok'],
        ['auth', 'ünï\u202e', 'ok'],
        ['get', 'ünï\u202e', 'ok'],
      ],
    );
  });

  test('counts the bytes of an answer in pieces, and has PR values and refused streams', async (t) => {
    const { connect, lines } = await logged(t, { 'anon-perms': '@report' });
    const client = connect('PRSERVICE 1.0');
    await client.ask('get-pr', { ...PKG, checksum: 'c' });
    await client.ask('export', { version: null, pkgarch: null, checksum: null, colinfo: false, history: true });
    assert.match(refusal(await connect().ask('get-stream', null)), /not allowed/);
    const { lines: all } = await lines();
    const requests = all.filter(({ kind }) => kind === 'request');
    assert.deepEqual(
      requests.map(({ service, command, result }) => [service, command, result]),
      [
        ['PRSERVICE', 'get-pr', 'ok'],
        ['PRSERVICE', 'export', 'ok'],
        ['OEHASHEQUIV', 'get-stream', 'invoke-error'],
      ],
    );
    assert.ok(Number(requests[1]!.bytes) > 80);
  });

  test('goes on in a new file when it is opened again', async (t) => {
    const { server, connect, lines } = await logged(t);
    const client = connect();
    await client.ask('ping', {});
    server.reopen();
    await client.ask('ping', {});
    assert.equal((await lines()).lines.length, 3);
  });
});
