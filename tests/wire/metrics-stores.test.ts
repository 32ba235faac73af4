import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { scrape } from '../metrics-helpers.ts';
import { hash, METHOD, serve, temporaryFolder, UNIX, type WireClient } from './helpers.ts';
import { site, stream } from './upstream-helpers.ts';

const reportOf = (n: number) => ({
  report: { method: METHOD, taskhash: hash(n), outhash: hash(n), unihash: hash(n) },
});

async function report(client: WireClient, n: number): Promise<void> {
  client.send(`${JSON.stringify(reportOf(n))}\n`);
  assert.deepEqual(await client.message(), { taskhash: hash(n), method: METHOD, unihash: hash(n) });
}

describe('metrics of an upstream', () => {
  test('tell what it knew, and what of that was stored', async (t) => {
    const above = await serve(t, { transport: UNIX });
    await report(above.connect(), 1);
    const below = await site(t, `unix://${above.folder}/s`);
    const client = below.hash();
    const answers = await stream(client, 'get-stream', [`${METHOD} ${hash(1)}`, `${METHOD} ${hash(2)}`]);
    assert.deepEqual(answers, [hash(1), '']);
    await client.ask('backfill-wait', null);
    assert.deepEqual(await stream(client, 'exists-stream', [hash(3)]), ['false']);
    const shown = await scrape(below.app);
    assert.deepEqual(shown.counts('bakeserv_stream_lines_total'), {
      'hashserv get-stream miss': 1,
      'hashserv get-stream upstream-hit': 1,
      'hashserv exists-stream miss': 1,
    });
    assert.deepEqual(shown.counts('bakeserv_upstream_lookups_total'), { 'hashserv hit': 1, 'hashserv miss': 2 });
    assert.equal(shown.value('bakeserv_upstream_lookup_duration_seconds_count', { service: 'hashserv' }), 3);
    assert.equal(shown.value('bakeserv_backfill_stored_rows_total'), 1);
    assert.equal(shown.value('bakeserv_backfill_queued_rows'), 0);
    assert.deepEqual(shown.counts('bakeserv_upstream_breaker_open'), {});
  });

  test('tell that a PR server above knows nothing of a package, or does', async (t) => {
    const above = await serve(t, { transport: UNIX });
    const pr = { version: 'p-1-r0', pkgarch: 'a', checksum: 'c', history: false };
    await above.connect('PRSERVICE 1.0').ask('get-pr', pr);
    const below = await site(t, `unix://${above.folder}/s`);
    const client = below.pr();
    assert.deepEqual(await client.ask('get-pr', { ...pr, version: 'q-1-r0' }), { value: '0' });
    assert.deepEqual(await client.ask('get-pr', pr), { value: '0' });
    const shown = await scrape(below.app);
    assert.deepEqual(shown.counts('bakeserv_upstream_lookups_total'), { 'prserv hit': 1, 'prserv miss': 1 });
  });

  test('tell that it is away', async (t) => {
    const above = await serve(t, { transport: UNIX });
    const below = await site(t, `unix://${above.folder}/s`, { 'upstream-timeout': 0.2 });
    await above.stop();
    const client = below.hash();
    let asked = 0;
    for (let shown = await scrape(below.app); ; shown = await scrape(below.app)) {
      const counts = shown.counts('bakeserv_upstream_lookups_total');
      assert.equal((counts['hashserv unanswered'] ?? 0) + (counts['hashserv not-asked'] ?? 0), asked);
      if ((counts['hashserv not-asked'] ?? 0) > 0) {
        assert.deepEqual(shown.counts('bakeserv_upstream_breaker_open'), { hashserv: 1 });
        assert.deepEqual(shown.counts('bakeserv_upstream_breaker_openings_total'), { hashserv: 1 });
        return;
      }
      asked++;
      assert.deepEqual(await stream(client, 'get-stream', [`${METHOD} ${hash(asked)}`]), ['']);
    }
  });
});

test('what was not stored is counted by the reason, and the request as one that failed', async (t) => {
  const { app, folder, dial } = await serve(t);
  const client = dial();
  client.send('OEHASHEQUIV 1.1\nbakeserv-errors: tell\n\n');
  await report(client, 1);
  fs.rmSync(path.join(folder, 'hashserv.db'));
  // It is looked for a few times a second.
  let stored = 0;
  for (let answer: Json = null; !JSON.stringify(answer).includes('invoke-error'); ) {
    stored++;
    client.send(`${JSON.stringify(reportOf(stored + 1))}\n`);
    answer = await client.message();
  }
  const shown = await scrape(app);
  assert.deepEqual(shown.counts('bakeserv_write_failures_total'), { 'hashserv storage-missing': 1 });
  assert.deepEqual(shown.counts('bakeserv_requests_total'), {
    'hashserv report ok': stored,
    'hashserv report failed': 1,
  });
  assert.equal(shown.value('bakeserv_write_batch_operations_sum', { database: 'hashserv' }), stored);
});

test('checkpoints, commits and syncs are counted', async (t) => {
  const file = path.join(temporaryFolder(t), 'db');
  const syncMode = { kind: 'periodic', seconds: 0.01 } as const;
  const database = await openDatabase({ file, init: false, readOnly: false, syncMode, log: SILENT, onFatal() {} });
  const { figures } = database;
  const before = figures.commitSeconds.count;
  await database.writer!.slice((connection) => connection.exec('CREATE TABLE t (n)'));
  assert.equal(figures.commitSeconds.count, before + 1);
  const end = performance.now() + 60_000;
  while (figures.syncSeconds.count === 0 && performance.now() < end)
    await new Promise((resolve) => setImmediate(resolve));
  assert.ok(figures.syncSeconds.count > 0);
  await database.close(0);
  assert.equal(figures.checkpoints.truncate.done, 1);
  assert.equal(figures.checkpoints.truncate.seconds.count, 1);
});
