import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, MEMORY, temporaryFolder, UNIX, WireClient } from './helpers.ts';
import { CONNECTIONS, outhash, playAtRandom, taskhash, unihash } from './random-model.ts';

describe('random interleavings answer as one request after the other would', () => {
  for (const [transport, seed] of [
    [MEMORY, 1],
    [UNIX, 2],
    [UNIX, 3],
  ] as const) {
    test(`${CONNECTIONS} connections over ${transport.name}, seed ${seed}`, (t) => playAtRandom(t, transport, seed));
  }

  test('rows that another process removes are forgotten', async (t) => {
    const folder = temporaryFolder(t);
    const ours = await createApp(configIn(folder), SILENT);
    const theirs = await createApp(configIn(folder), SILENT);
    const a = new WireClient(await (await MEMORY.open(ours, DEFAULT_LIMITS, folder)).connect()).handshake();
    const b = new WireClient(await (await MEMORY.open(theirs, DEFAULT_LIMITS, folder)).connect()).handshake();
    const key = { method: 'm', taskhash: taskhash(1) };
    await a.ask('report', { ...key, outhash: outhash(1), unihash: unihash('m', 1) });
    assert.notEqual(await a.ask('get', key), null);
    assert.deepEqual(await b.ask('remove', { where: key }), { count: 2 });
    // The promise is 250 ms; a test that asserted it would be a timed one. It ends when the answer is right.
    while ((await a.ask('get', key)) !== null) await new Promise((resolve) => setImmediate(resolve));
    a.close();
    b.close();
    await ours.close();
    await theirs.close();
  });
});
