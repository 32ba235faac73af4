import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLoopGuard } from '../../lib/asyncrpc/upstream/loop-guard.ts';
import { WriteGate } from '../../lib/asyncrpc/write-gate.ts';
import { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import { createPrService } from '../../lib/prserv/service.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { duplexPair, hash, METHOD, refusal, serve, WireClient } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

const PRSERV = 'PRSERVICE 1.0';
const rows = (...values: string[]) =>
  values.map((value) => JSON.stringify(['p-1', 'all', `c${value}`, value])).join('\n');

describe('the log of the PR service', () => {
  test('has a line a connection for what was imported, and one for each removing, with the peer and the counts', async (t) => {
    const { log, lines } = recordLog();
    const server = await serve(t, { log });
    lines.length = 0;
    const client = server.connect(PRSERV);
    await client.ask('get-pr', { version: 'p-0', pkgarch: 'all', checksum: 'c', history: false });
    for (const value of ['1', '2', '999999999'])
      await client.ask('import-one', { version: 'p-1', pkgarch: 'all', checksum: `c${value}`, value });
    await client.ask('import-rows', { rows: rows('2', '3', '4') });
    await client.ask('import-rows', { rows: rows('5', 'many') });
    await client.ask('import-rows', { rows: rows('6'), check: true });
    await client.ask('remove', { version: 'p-1', checksum: 'c3' });
    await client.ask('remove', { version: 'nobody' });
    const other = server.connect(PRSERV);
    await other.ask('get-pr', { version: 'p-0', pkgarch: 'all', checksum: 'd', history: false });
    await server.stop();
    assert.deepEqual(lines, [
      'info PR rows removed peer=memory where={"version":"p-1","checksum":"c3"} count=1',
      'info PR rows removed peer=memory where={"version":"nobody"} count=0',
      'info PR rows imported peer=memory one=2 refused=2 stored=2 present=1',
    ]);
  });

  test('warns of a client that may not remove rows', async (t) => {
    const { log, lines } = recordLog();
    const { app } = await serve(t, { log });
    lines.length = 0;
    const [near, far] = duplexPair();
    app.hub.accept(far, { name: '192.0.2.1:1', address: '192.0.2.1', local: false });
    const client = new WireClient(near).handshake(PRSERV);
    t.after(() => client.close());
    refusal(await client.ask('remove', { version: 'p-1' }));
    assert.deepEqual(lines, ['warn permission refused peer=192.0.2.1:1 command=remove needs=a local address']);
  });

  /** A service on a store of which one method alone is asked. */
  const serviceOn = (store: Partial<PrStore>) => {
    const recorded = recordLog();
    const service = createPrService({
      store: { readOnly: false, ...store } as PrStore,
      log: recorded.log,
      upstream: null,
      guard: createLoopGuard(SILENT),
      gate: new WriteGate(),
      defaultHistory: false,
      mayRemove: () => true,
    });
    return { session: service.open({ name: 'a client', address: null, local: true }, []), ...recorded };
  };

  test('names an import whose client hung up before it was through', async () => {
    let stored = (_count: number): void => assert.fail('not asked');
    const asked = new Promise<number>((resolve) => {
      stored = resolve;
    });
    const { session, lines } = serviceOn({ importAll: () => asked });
    const answered = session.invoke(session.command('import-rows')!, [{ rows: rows('1', '2') }]);
    session.close();
    assert.deepEqual(lines, []);
    stored(2);
    assert.deepEqual(await answered, [{ stored: 2, present: 0, refused: [] }]);
    assert.deepEqual(lines, ['info PR rows imported peer=a client stored=2 present=0 refused=0']);
  });

  test('names a removing that failed', async () => {
    const { session, lines } = serviceOn({
      removeRows: () => Promise.reject(new StorageError('storage-full', 'storage full')),
    });
    await session.invoke(session.command('remove')!, [{ pkgarch: 'all' }]);
    assert.deepEqual(lines, [
      'info not done, or not wholly: PR rows removed peer=a client where={"pkgarch":"all"} error=StorageError: storage full',
    ]);
  });
});

test('hash rows that were imported are in the log once their client is gone', async (t) => {
  const recorded = recordLog();
  const server = await serve(t, { log: recorded.log });
  const client = server.connect();
  const imported = [[METHOD, 't', hash(1)]];
  await client.ask('import-rows', { table: 'unihashes', columns: ['method', 'taskhash', 'unihash'], rows: imported });
  client.close();
  assert.equal(
    await recorded.line(/rows imported/),
    'info rows imported peer=memory user=anonymous stored=1 present=0 refused=0',
  );
});
