import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { hash, MEMORY, METHOD, serve, TCP, temporaryFolder } from './helpers.ts';
import { FrameClient, webSocketServer } from './websocket-helpers.ts';

/** Every timer that runs, from now on. */
function liveTimers(t: TestContext): ReadonlyMap<unknown, string> {
  const live = new Map<unknown, string>();
  const { setTimeout: realTimeout, setInterval: realInterval, clearTimeout: realClear } = globalThis;
  const where = () => new Error().stack!.split('\n').slice(3, 6).join(' <-');
  t.mock.method(globalThis, 'setTimeout', (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = realTimeout(() => {
      live.delete(timer);
      run(...args);
    }, ms);
    live.set(timer, where());
    return timer;
  });
  t.mock.method(globalThis, 'setInterval', (run: () => void, ms?: number) => {
    const timer = realInterval(run, ms);
    live.set(timer, where());
    return timer;
  });
  for (const clear of ['clearTimeout', 'clearInterval'] as const)
    t.mock.method(globalThis, clear, (timer: NodeJS.Timeout | undefined) => {
      live.delete(timer);
      realClear(timer);
    });
  return live;
}

/** Until no timer runs any more; whoever waits for that too long sees which do. */
async function rests(t: TestContext, live: ReadonlyMap<unknown, string>): Promise<void> {
  const tell = () => t.diagnostic(`running: ${[...live.values()].join('; ')}`);
  t.signal.addEventListener('abort', tell);
  while (live.size > 0) await new Promise((resolve) => setImmediate(resolve));
  t.signal.removeEventListener('abort', tell);
}

const SERVERS = [
  { what: 'answers and stores', flags: {}, transport: TCP },
  { what: 'syncs now and then', flags: { 'sync-mode': 'periodic:1' }, transport: MEMORY },
  { what: 'syncs when it ends', flags: { 'sync-mode': 'on_shutdown' }, transport: MEMORY },
] as const;

for (const { what, flags, transport } of SERVERS)
  test(`a server that ${what} runs no timer once it is left alone, and wakes for the next client`, {
    timeout: 60_000,
  }, async (t) => {
    const live = liveTimers(t);
    const server = await serve(t, { transport, flags });
    for (let n = 1; n <= 2; n++) {
      const [hashes, prs] = [await server.connect(), await server.connect('PRSERVICE 1.0')];
      const report = { method: METHOD, taskhash: hash(n), outhash: hash(n + 10), unihash: hash(n + 20) };
      assert.deepEqual(await hashes.ask('report', report), {
        taskhash: hash(n),
        method: METHOD,
        unihash: hash(n + 20),
      });
      hashes.send(`{"get-stream": null}\n${METHOD} ${hash(n)}\n${METHOD} ${hash(n + 30)}\nEND\n`);
      assert.deepEqual(await hashes.message(), 'ok');
      assert.deepEqual([await hashes.line(), await hashes.line(), await hashes.line()], [hash(n + 20), '', 'ok']);
      const pr = { version: 'p', pkgarch: 'all', checksum: `c${n}` };
      assert.deepEqual(await prs.ask('get-pr', pr), { value: String(n - 1) });
      for (const client of [hashes, prs]) client.stream.destroy();
      await rests(t, live);
    }
  });

test('a read-only server runs no timer once it is left alone', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const writing = await serve(t, { folder, transport: MEMORY });
  await writing.connect().ask('ping', {});
  await writing.stop();
  const live = liveTimers(t);
  const files = { 'hashserv-db': path.join(folder, 'hashserv.db') };
  const server = await serve(t, { folder, transport: MEMORY, flags: { ...files, 'read-only': true } });
  const client = server.connect();
  assert.equal(await client.ask('get', { method: METHOD, taskhash: hash(1) }), null);
  client.stream.destroy();
  await rests(t, live);
});

test('a server whose WebSocket clients have left pings nobody', { timeout: 60_000 }, async (t) => {
  const live = liveTimers(t);
  const server = await webSocketServer(t, {}, { websocketPingMs: 20 });
  const client = await FrameClient.open(server.url);
  await new Promise((resolve) => client.ws.once('ping', resolve));
  client.ws.terminate();
  await rests(t, live);
});
