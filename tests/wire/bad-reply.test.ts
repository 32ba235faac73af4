import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Command, Outcome, Service, Session } from '../../lib/asyncrpc/service.ts';
import { SILENT } from '../../lib/log.ts';
import { duplexPair, refusal, WireClient } from './helpers.ts';

for (const [when, answer] of [
  ['at once', (outcomes: Outcome[]) => outcomes],
  ['later', (outcomes: Outcome[]) => Promise.resolve(outcomes)],
] as const) {
  test(`a reply that is no JSON, given ${when}, ends its connection and not the server`, async (t) => {
    const command: Command = { name: 'x', stream: false, batches: false };
    const session: Session = {
      awaitsLogin: false,
      command: () => command,
      invoke: () => answer([1n as unknown as Outcome]),
      refuses: () => null,
      stream: () => '',
      close() {},
    };
    const service: Service = { protocol: 'TEST', accepts: () => true, open: () => session, close: async () => {} };
    const hub = createHub([service], DEFAULT_LIMITS, SILENT);
    const [end, server] = duplexPair();
    hub.accept(server, { name: 'memory', address: null, local: true });
    const client = new WireClient(end);
    t.after(async () => {
      client.close();
      await hub.drain();
    });
    client.send('TEST 1.0\n\n{"x": 1}\n');
    assert.match(refusal(await client.message()), /^Internal error/);
    assert.equal(await client.line(), null);
  });
}
