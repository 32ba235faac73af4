import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorStatus } from '../../lib/meter/mirror-status.ts';
import { eventually, report, runToEnd, serve, storedUnihash, temporaryFolder } from './helpers.ts';
import { statusOf, WITHIN_MS } from './workers-helpers.ts';

test('one of several workers mirrors; status, metrics and API know of it whichever is asked, and it outlives its source', async (t) => {
  const source = await serve(t, { folder: temporaryFolder(t) });
  const [address] = source.addresses;
  assert.ok(address?.kind === 'unix');
  const name = `unix://${address.path}`;
  const unihash = await report(await source.hash(), 'task');
  const http = ['--bind', 'http://127.0.0.1:0'];
  const args = ['--workers', '2', ...http, '--mirror', `${name},every=1s`];
  const mirror = await serve(t, { folder: temporaryFolder(t), args });
  const at = mirror.addresses.find(({ kind }) => kind === 'http');
  assert.ok(at?.kind === 'http');
  const seen = async (state: string) =>
    eventually(WITHIN_MS, async () => {
      const { mirrors } = (await statusOf(mirror)) as unknown as { mirrors: readonly MirrorStatus[] };
      assert.deepEqual(
        mirrors.map(({ source, state }) => [source, state]),
        [[name, state]],
      );
      return mirrors[0]!;
    });
  await seen('level');
  assert.equal(await storedUnihash(await mirror.hash(), 'task'), unihash);
  assert.deepEqual(await source.stop(), { status: 0, signal: null });
  await seen('away');
  assert.equal(await storedUnihash(await mirror.hash(), 'task'), unihash);

  const { stdout } = await runToEnd(['status']);
  assert.match(stdout, new RegExp(`  mirror    ${name}: level \\d.* ago, its source is away since .*; every 1 s\n`));
  const ask = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${at.port}${path}`)).text();
  // At once: connections are shared out by how many each worker has.
  const statuses = await Promise.all(Array.from({ length: 6 }, () => ask('/api/v1/status')));
  for (const text of statuses)
    assert.deepEqual(
      (JSON.parse(text) as { mirrors: readonly MirrorStatus[] }).mirrors.map(({ source, state }) => [source, state]),
      [[name, 'away']],
    );
  for (const text of await Promise.all(Array.from({ length: 6 }, () => ask('/metrics'))))
    assert.equal(text.match(/^bakeserv_mirror_lag_seconds\{.*\} \S+$/gm)?.length, 1);
});
