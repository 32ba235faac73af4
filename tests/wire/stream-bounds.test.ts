import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Command, Service, Session } from '../../lib/asyncrpc/service.ts';
import { SILENT } from '../../lib/log.ts';
import { duplexPair, WireClient } from './helpers.ts';

test('lines whose answers are known at once still count as in flight while an earlier line waits', async (t) => {
  const command: Command = { name: 'look-up', stream: true, batches: false };
  const { maxInFlight } = DEFAULT_LIMITS;
  let known = 0;
  let release: (text: string) => void = () => {};
  let onWaiting: () => void = () => {};
  let onFull: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    onWaiting = resolve;
  });
  const full = new Promise<void>((resolve) => {
    onFull = resolve;
  });
  const session: Session = {
    awaitsLogin: false,
    command: () => command,
    invoke: () => [],
    refuses: () => null,
    stream(_command, lines) {
      if (lines[0] === 'slow') {
        onWaiting();
        return new Promise<string>((resolve) => {
          release = resolve;
        });
      }
      known += lines.length;
      if (known >= maxInFlight - 1) onFull();
      return 'known\n'.repeat(lines.length);
    },
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
  client.send('TEST 1.0\n\n{"look-up": null}\nslow\n');
  await waiting;
  const sent = 5 * maxInFlight;
  client.send('x\n'.repeat(sent));
  await full;
  // What is taken from one read is taken in one go: it is all done by the next round of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(known < maxInFlight, `${known} lines were answered in memory behind one that waits`);
  release('slow\n');
  assert.equal(await client.line(), '"ok"');
  assert.equal(await client.line(), 'slow');
  for (let i = 0; i < sent; i++) assert.equal(await client.line(), 'known');
});
