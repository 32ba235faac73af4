import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { frameMessage, type Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, hash, MEMORY, METHOD, TCP, temporaryFolder, UNIX, WEBSOCKET, WireClient } from './helpers.ts';

const SIGINFO = `${'OEOuthashBasic é 😀 "quoted"\n\\'.repeat(60_000)}end`;
const KEYS = { method: METHOD, taskhash: 't1', outhash: 'o1' };

describe('a row with a long siginfo', { concurrency: true }, () => {
  for (const transport of [MEMORY, UNIX, TCP, WEBSOCKET]) {
    test(`is answered whole over ${transport.name}, and what is asked behind it as well`, async (t) => {
      const app = await createApp(configIn(temporaryFolder(t), { 'sync-mode': 'on_shutdown' }), SILENT);
      const opened = await transport.open(app, DEFAULT_LIMITS, temporaryFolder(t));
      const client = new WireClient(await opened.connect());
      t.after(async () => {
        client.close();
        await opened.close();
        await app.close();
      });
      client.handshake();
      const chunked = transport !== WEBSOCKET;
      const send = (message: Json) => client.send(frameMessage(JSON.stringify(message), chunked));
      send({ report: { ...KEYS, unihash: hash(1), PN: 'pn', outhash_siginfo: SIGINFO } });
      assert.deepEqual(await client.message(), { method: METHOD, taskhash: 't1', unihash: hash(1) });
      const asked: Json[] = [
        { 'get-outhash': KEYS },
        { get: { method: METHOD, taskhash: 't1', all: true } },
        { get: { method: METHOD, taskhash: 't1' } },
        { 'get-outhash': { ...KEYS, with_unihash: false } },
        { ping: {} },
      ];
      for (const message of asked) send(message);
      const rows = [];
      for (const [i] of asked.entries()) {
        const reply = (await client.message()) as { [key: string]: Json };
        if (i === 2) assert.deepEqual(reply, { method: METHOD, taskhash: 't1', unihash: hash(1) });
        else if (i === 4) assert.deepEqual(reply, { alive: true });
        else rows.push(reply);
      }
      for (const [i, row] of rows.entries()) {
        const { outhash_siginfo, created, id, ...rest } = row;
        assert.ok(outhash_siginfo === SIGINFO, `row ${i}`);
        assert.match(String(created), /^\d{4}-/);
        assert.equal(typeof id, 'number');
        const none = { owner: null, PV: null, PR: null, task: null };
        const joined = i < 2 ? { unihash: hash(1), gc_mark: '' } : {};
        assert.deepEqual(rest, { ...KEYS, PN: 'pn', ...none, ...joined });
      }
    });
  }

  test('is answered whole in the plain form', async (t) => {
    const app = await createApp(configIn(temporaryFolder(t), { 'sync-mode': 'on_shutdown' }), SILENT);
    const opened = await UNIX.open(app, DEFAULT_LIMITS, temporaryFolder(t));
    const client = new WireClient(await opened.connect());
    t.after(async () => {
      client.close();
      await opened.close();
      await app.close();
    });
    const writer = new WireClient(await opened.connect()).handshake();
    await writer.ask('report', { ...KEYS, unihash: hash(1), outhash_siginfo: SIGINFO });
    writer.close();
    client.send(`${JSON.stringify({ id: 1, method: 'get-outhash', params: KEYS })}\n`);
    const reply = JSON.parse((await client.line())!);
    assert.equal(reply.error, null);
    assert.ok(reply.result.outhash_siginfo === SIGINFO);
    assert.equal(reply.result.unihash, hash(1));
  });
});
