import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSearches } from '../../lib/asyncrpc/shares/searches.ts';
import { hash, METHOD, serve } from './helpers.ts';
import { httpServer } from './http-helpers.ts';

const report = (task: number, out: number, more = {}) => ({
  method: METHOD,
  taskhash: hash(task),
  outhash: hash(out),
  unihash: hash(task),
  ...more,
});

interface Told {
  readonly cut: boolean;
  readonly rows: readonly unknown[];
  readonly equivalent: readonly unknown[];
}

describe('find-task', () => {
  test('tells a client what a hash is, who reported it, and which tasks are equivalent', async (t) => {
    const server = await serve(t);
    const client = await server.connect();
    const PN = '<script>alert(1)</script>\u202e';
    await client.ask('report', report(1, 100, { PN, task: 'do_compile', owner: 'anna', outhash_siginfo: 'text' }));
    await client.ask('report', report(2, 100));
    await client.ask('report-equiv', { method: 'other', taskhash: hash(3), unihash: hash(1) });
    const found = (await client.ask('find-task', { text: hash(1) })) as { [key: string]: never };
    assert.deepEqual(found.is, ['taskhash', 'unihash']);
    const rows = found.rows as unknown as { [column: string]: unknown }[];
    const { created, ...first } = rows[0]!;
    assert.match(String(created), /^\d{4}-.*\+00:00$/);
    const none = { owner: null, PN: null, PV: null, PR: null, task: null };
    assert.deepEqual(first, {
      ...{ ...none, method: METHOD, taskhash: hash(1), unihash: hash(1), outhash: hash(100) },
      ...{ PN, task: 'do_compile', owner: 'anna', siginfo: true },
    });
    assert.deepEqual(
      rows.map(({ taskhash, siginfo, outhash }) => [taskhash, siginfo, outhash]),
      [
        [hash(1), true, hash(100)],
        [hash(2), false, hash(100)],
        [hash(3), false, null],
      ],
    );
    const output = (await client.ask('find-task', { text: hash(100) })) as {
      [key: string]: { [column: string]: never }[];
    };
    assert.deepEqual(output.is, ['outhash']);
    assert.deepEqual(
      output.equivalent!.map(({ taskhash }) => taskhash),
      [hash(3)],
    );
    const recipe = (await client.ask('find-task', { text: '<script>*' })) as { [key: string]: { PN: string }[] };
    assert.deepEqual([recipe.is, recipe.rows!.map((row) => row.PN)], [['recipe'], [PN]]);
    assert.deepEqual(await client.ask('find-task', { text: hash(77) }), {
      ...{ text: hash(77), is: [], rows: [], equivalent: [], cut: false, complete: true },
    });
  });

  test('tells no more than so much text, however long the names are that somebody reports', async (t) => {
    const server = await serve(t);
    const client = await server.connect();
    const [PN, PV, PR, task, owner] = ['n', 'v', 'r', 't', 'o'].map((letter) => letter.repeat(1000));
    const names = { PN, PV, PR, task, owner };
    for (let i = 1; i <= 250; i++) await client.ask('report', { ...report(i, 100, names), unihash: hash(7) });
    for (const text of [hash(100), hash(7), PN!, `${PN}*`]) {
      const found = (await client.ask('find-task', { text, limit: 500 })) as unknown as Told;
      assert.ok(JSON.stringify(found).length < 1_200_000, text);
      assert.deepEqual([found.cut, found.rows.length > 80], [true, true]);
    }
    const one = (await client.ask('find-task', { text: hash(9), limit: 500 })) as unknown as Told;
    assert.ok(JSON.stringify(one).length < 600_000, 'one');
    assert.deepEqual([one.cut, one.rows.length], [true, 1]);
    assert.ok(one.equivalent.length > 80, 'nor in those that are equivalent');
  });

  test('refuses what is neither a hash nor a name, and is for those who may read', async (t) => {
    const server = await serve(t);
    const client = await server.connect();
    for (const text of ['*', '**', 'a*b', '***', ''])
      assert.match(JSON.stringify(await client.ask('find-task', { text })), /find-task: .*text/, text);
    for (const args of [{}, { text: 5 }, { text: 'a', limit: 0 }, { text: 'a', limit: 501 }])
      assert.match(JSON.stringify(await client.ask('find-task', args)), /invoke-error/);
    assert.match(JSON.stringify(await client.ask('find-task', { text: `${'a'.repeat(1025)}` })), /invoke-error/);
    const shut = await serve(t, { flags: { 'anon-perms': '@none' } });
    assert.match(JSON.stringify(await shut.connect().ask('find-task', { text: 'a' })), /not allowed/);
  });

  test('is there over HTTP', async (t) => {
    const { url } = await httpServer(t);
    const get = async (query: string) => {
      const response = await fetch(`${url}/api/v1/find${query}`);
      return [response.status, (await response.json()) as { is?: unknown; rows?: unknown }] as const;
    };
    assert.deepEqual((await get(`?text=${hash(1)}`))[1].is, []);
    assert.equal((await get('?text=busy%2A&limit=1'))[0], 200);
    for (const query of ['', '?text=%2A', '?text=a&limit=x', '?text=a&limit=0', '?text=a&text=b'])
      assert.equal((await get(query))[0], 422, query);
  });
});

test('searches that no index answers take turns, and those that are too many are refused', async () => {
  const searches = createSearches();
  const ends: (() => void)[] = [];
  let running = 0;
  const run = () =>
    searches.run(async () => {
      running++;
      await new Promise<void>((resolve) => ends.push(resolve));
    });
  const all = Array.from({ length: 18 }, run);
  assert.equal(running, 2);
  assert.throws(run, /too many searches wait/);
  for (let i = 0; i < 18; i++) {
    while (ends.length <= i) await new Promise((resolve) => setImmediate(resolve));
    ends[i]!();
  }
  await Promise.all(all);
  await Promise.all([
    searches.run(async (isLate) => assert.equal(isLate(), false)),
    createSearches(0).run(async (isLate) => assert.equal(isLate(), true)),
  ]);
});
