import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS, KIB, type Limits } from '../../lib/asyncrpc/limits.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { SILENT } from '../../lib/log.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, MEMORY, serve, TCP, type Transport, temporaryFolder, UNIX, WireClient } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

type Test = { after(fn: () => void | Promise<void>): void };

async function plainClient(
  t: Test,
  transport: Transport = MEMORY,
  flags: Record<string, unknown> = {},
  piece = 0,
  limits: Partial<Limits> = {},
) {
  const app = await createApp(configIn(temporaryFolder(t), flags, limits), SILENT);
  const opened = await transport.open(app, DEFAULT_LIMITS, temporaryFolder(t));
  const client = new WireClient(await opened.connect(), piece);
  t.after(async () => {
    client.close();
    await opened.close();
    await app.close();
  });
  let id = 0;
  return {
    client,
    async ask(method: Json, params?: Json, more: object = {}): Promise<Json> {
      client.send(`${JSON.stringify({ id: ++id, method, ...(params !== undefined && { params }), ...more })}\n`);
      const reply = JSON.parse((await client.line())!);
      assert.deepEqual(Object.keys(reply), ['id', 'result', 'error']);
      assert.equal(reply.id, id);
      return reply.error ?? reply.result;
    },
  };
}

const UNIHASH = 'a'.repeat(64);
const REPORT = { method: 'm', taskhash: 't', outhash: 'o', unihash: UNIHASH };

describe('a connection whose first line is a JSON object speaks the plain form', () => {
  for (const [transport, piece] of [
    [MEMORY, 0],
    [MEMORY, 1],
    [TCP, 0],
    [UNIX, 0],
  ] as const) {
    test(`over ${transport.name}${piece ? ', fed one byte at a time' : ''}, to both services`, async (t) => {
      const { ask } = await plainClient(t, transport, {}, piece);
      assert.deepEqual(await ask('ping'), { alive: true });
      assert.deepEqual(await ask('get-pr', { version: 'p', pkgarch: 'all', checksum: 'c' }), { value: '0' });
      assert.deepEqual(await ask('report', REPORT), { method: 'm', taskhash: 't', unihash: UNIHASH });
      assert.equal(await ask('get', { method: 'm', taskhash: 'nobody’s' }), null);
      assert.deepEqual(await ask('get-stream', { lines: ['m t', 'm x'] }), [UNIHASH, '']);
      assert.deepEqual(await ask('exists-stream', { lines: [UNIHASH, 'x'] }), ['true', 'false']);
      // More than may be in flight.
      assert.deepEqual(await ask('get-stream', { lines: Array(3000).fill('m t') }), Array(3000).fill(UNIHASH));
      const exported = (await ask('export', { colinfo: false })) as { datainfo: Json };
      assert.deepEqual(exported.datainfo, [{ version: 'p', pkgarch: 'all', checksum: 'c', value: '0' }]);
    });
  }
});

test('every command of both services is known', async (t) => {
  const { ask } = await plainClient(t);
  for (const [service, commands] of [
    ['OEHASHEQUIV', HASH_COMMANDS],
    ['PRSERVICE', PR_COMMANDS],
  ] as const)
    for (const command of Object.keys(commands)) {
      // Numbers fit no command: each refuses in its own words, or answers because it takes anything.
      const reply = JSON.stringify(await ask(command, 5, { service }));
      assert.doesNotMatch(reply, /Internal error/, command);
      // The PR service has it where a listener asks for logins.
      const isAsked = service === 'PRSERVICE' && command === 'auth';
      assert.equal(/Unknown command/.test(reply), isAsked, command);
    }
});

test('what is refused is an error of that request, and the connection goes on', async (t) => {
  const { ask, client } = await plainClient(t, MEMORY, { 'anon-perms': '@read' });
  const refused = async (message: RegExp, ...args: Parameters<typeof ask>) => {
    assert.match(((await ask(...args)) as { message: string }).message, message);
  };
  await refused(/^Unknown command "no-such"$/, 'no-such');
  await refused(/^Unknown command "__proto__"$/, '__proto__');
  await refused(/^get: taskhash is missing$/, 'get', { method: 'm' });
  await refused(/not allowed to access permissions\(s\) @db-admin/, 'remove', { where: { method: 'm' } });
  await refused(/not allowed to access/, 'gc-mark-stream', { lines: [] });
  await refused(/^method must be a text/, 5);
  await refused(/^lines must be a list of texts/, 'get-stream', { lines: ['a b\nc d'] });
  await refused(/^service must be one of OEHASHEQUIV, PRSERVICE$/, 'ping', {}, { service: 'constructor' });
  await refused(/^Unknown command "get-pr"$/, 'get-pr', {}, { service: 'OEHASHEQUIV' });
  client.send('{"id": \n\n[1]\n');
  assert.deepEqual(JSON.parse((await client.line())!), {
    id: null,
    result: null,
    error: { message: 'malformed JSON' },
  });
  assert.match((await client.line())!, /^\{"id": null, "result": null, "error": \{"message": "A request must be/);
  assert.deepEqual(await ask('ping'), { alive: true });
});

test('a login holds for the connection', async (t) => {
  const flags = { 'anon-perms': '@none', 'admin-user': 'boss', 'admin-password': 'pw' };
  const { ask } = await plainClient(t, MEMORY, flags);
  assert.match(JSON.stringify(await ask('get', { method: 'm', taskhash: 't' })), /not allowed/);
  await ask('auth', { username: 'boss', token: 'pw' });
  assert.equal(await ask('get', { method: 'm', taskhash: 't' }), null);
});

test('requests sent at once and then the end, as nc sends them, are all answered in order', async (t) => {
  const { client } = await plainClient(t, UNIX);
  const ids = Array.from({ length: 200 }, (_, id) => id);
  const request = (id: number) =>
    JSON.stringify({ id, method: 'get-pr', params: { version: 'p', pkgarch: 'all', checksum: `${id}` } });
  client.stream.end(`${ids.map(request).join('\n')}\n`);
  for (const id of ids) {
    assert.deepEqual(JSON.parse((await client.line())!), { id, result: { value: `${id}` }, error: null });
  }
  assert.equal(await client.line(), null);
});

describe('before a login that is required, in the plain form,', () => {
  const flags = { 'anon-perms': '@none', 'admin-user': 'admin', 'admin-password': 'secret' };

  test('a request over the limit is refused unread, and is answered after the login', async (t) => {
    const { client, ask } = await plainClient(t, MEMORY, flags, 0, { maxMessageBeforeLoginBytes: 1000 });
    const params = { method: 'm', taskhash: 't' };
    // Not padded at its end: a line is read without the white space there.
    const request = `{${' '.repeat(1000)}${JSON.stringify({ id: 7, method: 'get', params }).slice(1)}\n`;
    client.send(request);
    const refused = { id: null, result: null, error: { message: 'a message is longer than 1000 bytes' } };
    assert.deepEqual(JSON.parse((await client.line())!), refused);
    assert.deepEqual(await ask('ping'), { alive: true });
    await ask('auth', { username: 'admin', token: 'secret' });
    client.send(request);
    assert.deepEqual(JSON.parse((await client.line())!), { id: 7, result: null, error: null });
  });

  test('a request that does not end is refused at the limit', async (t) => {
    const { client, ask } = await plainClient(t, MEMORY, flags);
    assert.deepEqual(await ask('ping'), { alive: true });
    client.send(`{"id":1,"method":"ping","params":"${'x'.repeat(100 * KIB)}`);
    assert.match((await client.line())!, /invoke-error.*longer than 65536 bytes/);
    assert.equal(await client.line(), null);
  });
});

test('a line in the plain form that is no JSON, or too deep, is the client’s doing, and no fault in the log', async (t) => {
  const { log, lines } = recordLog();
  const server = await serve(t, { log });
  const client = server.dial();
  client.send(
    '{"id": 1, "method": "ping"}\nnot JSON\n' + `{"id": 2, "params": ${'['.repeat(100)}${']'.repeat(100)}}\n`,
  );
  assert.equal(((await client.message()) as { id: number }).id, 1);
  for (const why of [/malformed JSON/, /deep/]) {
    const { error } = (await client.message()) as { error: { message: string } };
    assert.match(error.message, why);
  }
  client.send('{"id": 3, "method": "ping"}\n');
  assert.equal(((await client.message()) as { id: number }).id, 3);
  assert.deepEqual(
    lines.filter((line) => /^(error|warn)/.test(line)),
    [],
  );
});
