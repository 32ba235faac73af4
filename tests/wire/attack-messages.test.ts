import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MIB } from '../../lib/asyncrpc/limits.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, MEMORY, METHOD, refusal, serve, TCP } from './helpers.ts';

const report = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };

function chunked(text: string): string {
  let lines = '{"chunk-stream": null}\n';
  for (let at = 0; at < text.length; at += 32767) lines += `${text.slice(at, at + 32767)}\n`;
  return `${lines}\n`;
}

describe('messages made to cost more than they weigh', () => {
  for (const element of ['{},', '[],', '"",']) {
    test(`a ping of 16 MiB of ${element} is refused unparsed, and a neighbour is answered`, async (t) => {
      const server = await serve(t, { transport: TCP });
      const neighbour = server.connect();
      const client = server.connect();
      const text = `{"ping": [${element.repeat((16 * MIB) / element.length - 10)}1]}`;
      client.send(chunked(text));
      assert.match(refusal(await client.message()), /more than 4 times its length/);
      assert.equal(await client.line(), null);
      assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
    });
  }

  test('a client without the right is refused before its argument is parsed', async (t) => {
    const server = await serve(t, { flags: { 'anon-perms': '@read' } });
    const client = server.connect();
    // No JSON: were it parsed, the connection would be closed.
    client.send(chunked(`{"import-rows": ${'x'.repeat(MIB)}`));
    assert.match(refusal(await client.message()), /not allowed to access/);
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });

  test('a command that nobody knows is refused before its argument is parsed', async (t) => {
    const client = (await serve(t)).connect();
    client.send(`{"nonsense": ${'x'.repeat(10_000)}\n`);
    assert.match(refusal(await client.message()), /Unknown command "nonsense"/);
    client.send(chunked(`{"nonsense": ${'x'.repeat(MIB)}`));
    assert.match(refusal(await client.message()), /Unknown command "nonsense"/);
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });

  for (const transport of [MEMORY, TCP]) {
    test(`a siginfo of a megabyte that is not ASCII comes back as it went, over ${transport.name}`, async (t) => {
      const server = await serve(t, { transport });
      const client = server.connect();
      const siginfo = 'é'.repeat(MIB);
      await client.ask('report', { ...report, outhash_siginfo: siginfo });
      const neighbour = server.connect();
      client.send(`{"get-outhash": ${JSON.stringify({ ...report, with_unihash: false })}}\n{"ping": {}}\n`);
      assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
      const row = (await client.message()) as { [key: string]: Json };
      assert.equal(row.outhash_siginfo, siginfo);
      assert.deepEqual(await client.message(), { alive: true });
    });
  }
});
