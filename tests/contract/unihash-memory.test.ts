import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { slateOf } from '../../lib/asyncrpc/wire/slate.ts';
import type { HashStore } from '../../lib/hashserv/store.ts';
import { SILENT } from '../../lib/log.ts';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { doAll, hash, METHOD, remove, reportOf, temporaryFolder, until, withSqlite } from './helpers.ts';

const MIB = 1024 * 1024;

/** Stores on one file, as of as many servers. */
function files(t: TestContext) {
  const file = path.join(temporaryFolder(t), 'memory.db');
  const open = async (
    cacheBytes = 8 * MIB,
    readOnly = false,
    seen = (database: Database) => database,
  ): Promise<HashStore> => {
    const onFatal = (error: Error) => assert.fail(error);
    const rest = { readOnly, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT, onFatal } as const;
    const database = await openDatabase({ file, ...rest });
    t.after(() => database.close(1000));
    return createHashStore({ database: seen(database), cacheBytes, log: SILENT });
  };
  return { file, open };
}

const line = (n: number, method = METHOD) => `${method} ${hash(n)}`;
const task = (n: number, unihash: number, method = METHOD) => ({ method, taskhash: hash(n), unihash: hash(unihash) });

/** Until the memory answers, of which nobody has asked anything for a while: this row is in it. */
const awake = (store: HashStore, row: string) => until(() => store.knownUnihash(row) !== undefined);

/** Rows as another program stores them, `from` the number of the first. */
function storeRows(file: string, count: number, from = 0, taskhash = "printf('%064x', n)"): Promise<unknown> {
  return withSqlite(file, (run) =>
    run(`WITH RECURSIVE rows(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM rows WHERE n + 1 < ${from + count})
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
      SELECT '${METHOD}', ${taskhash}, printf('%064x', n + 1000000), '' FROM rows`),
  );
}

for (const readOnly of [false, true]) {
  test(`what the file holds is known soon after the start${readOnly ? ' of a read-only server' : ''}`, async (t) => {
    const { file, open } = files(t);
    await open();
    await storeRows(file, 20_000);
    await storeRows(file, 20, 50_000, "'t' || n");
    const store = await open(8 * MIB, readOnly);
    await until(() => store.loading.state === 'all');
    assert.equal(store.loading.rows, 20_000);
    // In turns, or the memory grows too old to answer.
    for (let n = 0; n < 20_000; n += 7) await until(() => store.knownUnihash(line(n)) === hash(n + 1_000_000));
    assert.equal(store.knownUnihash(line(20_000)), undefined);
    await awake(store, line(0));
    assert.equal(store.knownToExist(hash(1_000_001)), true);
  });
}

test('where there is no room for all rows the newest are known', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 60_000);
  const store = await open(4 * MIB);
  await until(() => store.loading.state === 'newest');
  assert.ok(store.loading.rows > 20_000 && store.loading.rows < 60_000, String(store.loading.rows));
  await awake(store, line(40_000));
  assert.equal(store.knownUnihash(line(40_000)), hash(1_040_000));
  assert.equal(store.knownUnihash(line(0)), undefined);
  assert.deepEqual(await store.unihashes([line(0)]), [hash(1_000_000)]);
});

test('rows of another server become known, and those it removes are forgotten', async (t) => {
  const { open } = files(t);
  const [ours, theirs] = [await open(), await open()];
  await theirs.reportEquivalent([task(1, 101), task(2, 102)]);
  await until(() => ours.knownUnihash(line(1)) === hash(101) && ours.loading.state === 'all');
  await doAll(theirs, remove(hash(1)));
  await until(() => ours.knownUnihash(line(1)) === undefined);
  await theirs.reportEquivalent([task(1, 201)]);
  await until(() => ours.knownUnihash(line(1)) === hash(201));
  await until(() => ours.knownUnihash(line(2)) === hash(102));
});

test('rows of another server are read by their ids, and all rows again only when some were removed', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 3000);
  /** For each slice that was read: whether it was one of all rows. */
  const slices: boolean[] = [];
  const ours = await open(8 * MIB, false, (database) => ({
    ...database,
    async read<Row>(on: Binding, sql: string, params?: readonly (string | number | null)[]) {
      const rows = await database.read<Row>(on, sql, params);
      if (sql.includes('group_concat')) slices.push(sql.includes('id < ?'));
      return rows;
    },
  }));
  const theirs = await open();
  const settled = (rows: number) =>
    until(() => ours.knownUnihash(line(1)) !== undefined && ours.loading.state === 'all' && ours.loading.rows === rows);
  await settled(3000);
  for (let n = 0; n < 3; n++) {
    slices.length = 0;
    await theirs.reportEquivalent([task(5000 + 2 * n, 1), task(5001 + 2 * n, 2)]);
    await settled(3002 + 2 * n);
    assert.ok(slices.length > 0 && slices.every((all) => !all), JSON.stringify(slices));
  }
  slices.length = 0;
  await doAll(theirs, remove(hash(7)));
  await settled(3005);
  assert.ok(slices.some((all) => all));
  assert.equal(ours.knownUnihash(line(7)), undefined);
});

test('what this server removes is forgotten before that is answered, and nothing else is', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 3000);
  const store = await open();
  await until(() => store.loading.state === 'all');
  await doAll(store, remove(hash(5)));
  await awake(store, line(6));
  assert.equal(store.knownUnihash(line(5)), undefined);
  assert.equal(store.knownUnihash(line(6)), hash(1_000_006));
  await store.reportEquivalent([task(5, 7)]);
  await awake(store, line(6));
  assert.equal(store.knownUnihash(line(5)), hash(7));
});

test('a report is known when it is answered, also where it got the unihash of an equivalent one', async (t) => {
  const { open } = files(t);
  const store = await open();
  await until(() => store.loading.state === 'all');
  await store.reportEquivalent([task(3, 13)]);
  await store.report([reportOf(hash(1), 'o', hash(11)), reportOf(hash(2), 'o', hash(12))]);
  await awake(store, line(3));
  assert.deepEqual(
    [1, 2].map((n) => store.knownUnihash(line(n))),
    [hash(11), hash(11)],
  );
});

test('a file taken back, with as many rows and the same ids, is read again', async (t) => {
  const { file, open } = files(t);
  const store = await open();
  await store.reportEquivalent([task(1, 101), task(2, 102)]);
  await until(() => store.loading.state === 'all' && store.knownUnihash(line(2)) === hash(102));
  await withSqlite(file, async (run) => {
    await run('BEGIN');
    await run(`DELETE FROM unihashes_v3 WHERE taskhash = '${hash(2)}'`);
    await run(`INSERT INTO unihashes_v3 VALUES (2, '${METHOD}', '${hash(3)}', '${hash(103)}', '')`);
    await run('COMMIT');
  });
  await until(() => store.knownUnihash(line(3)) === hash(103));
  await awake(store, line(1));
  assert.equal(store.knownUnihash(line(2)), undefined);
});

test('whatever two servers and a program do, both end with what the file holds', async (t) => {
  const step = fc.record({
    who: fc.nat(1),
    what: fc.constantFrom('report', 'remove', 'import', 'foreign delete', 'foreign insert', 'turns'),
    n: fc.nat(30),
    value: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { file, open } = files(t);
      const stores = [await open(), await open()];
      const model = new Map<number, number>();
      for (const { who, what, n, value } of steps) {
        const store = stores[who]!;
        const isNew = !model.has(n);
        if (what === 'report') await store.reportEquivalent([task(n, value)]);
        else if (what === 'import') await store.importRows('unihashes', [[METHOD, hash(n), hash(value)]]);
        else if (what === 'remove') await doAll(store, remove(hash(n)));
        else if (what === 'foreign delete')
          await withSqlite(file, (run) => run(`DELETE FROM unihashes_v3 WHERE taskhash = '${hash(n)}'`));
        else if (what === 'foreign insert')
          await withSqlite(file, (run) =>
            run(`INSERT OR IGNORE INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
              VALUES ('${METHOD}', '${hash(n)}', '${hash(value)}', '')`),
          );
        else await new Promise((resolve) => setTimeout(resolve, value % 120));
        if (what === 'remove' || what === 'foreign delete') model.delete(n);
        else if (what !== 'turns' && isNew) model.set(n, value);
        // Its own writes a server always sees.
        const known = store.knownUnihash(line(n));
        if (what === 'remove') assert.equal(known, undefined);
      }
      for (const store of stores) {
        await until(() =>
          Array.from({ length: 31 }, (_, n) => n).every((n) => {
            const value = model.get(n);
            return store.knownUnihash(line(n)) === (value === undefined ? undefined : hash(value));
          }),
        );
      }
    }),
    { numRuns: 12 },
  );
});

/** What a store's own lines say of some tasks, or unihashes: undefined where they are not answered from memory. */
function fromMemory(store: HashStore, of: readonly string[], kind: 'tasks' | 'unihashes' = 'tasks') {
  const input = slateOf(Buffer.from(of.map((each) => `${each}\n`).join('')));
  const output = slateOf(Buffer.alloc(input.bytes.length));
  const { lines, written } = store.knownLines(kind, true)!.scan(input, 0, input.bytes.length, output, of.length);
  return lines === of.length ? output.bytes.toString('latin1', 0, written) : undefined;
}

test('after a rest the file answers first: what another server has removed meanwhile is never answered from memory', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 100);
  const [ours, theirs] = [await open(), await open()];
  await ours.createUser('me', 'token', '@read');
  const known = [
    () => ours.knownUnihash(line(1)),
    () => fromMemory(ours, [line(1)]),
    () => (ours.knownToExist(hash(1_000_001)) ? 'exists' : undefined),
  ];
  for (const [i, answer] of known.entries()) {
    await until(() => answer() !== undefined);
    const before = ours.usersVersion;
    await new Promise((resolve) => setTimeout(resolve, 120));
    await doAll(theirs, remove(hash(1)));
    // In the very turn in which it is asked again, before it can have looked.
    assert.equal(answer(), undefined);
    assert.notEqual(ours.usersVersion, before);
    assert.deepEqual(await ours.unihashes([line(1)]), [null]);
    assert.equal(await ours.unihash(METHOD, hash(1)), null);
    if (i + 1 < known.length) await theirs.reportEquivalent([task(1, 1_000_001)]);
  }
});

test('a task that is not there is answered from memory once all rows are in, and never while another stores it', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 3000);
  const [ours, theirs] = [await open(), await open()];
  for (let n = 5000; n < 5010; n++) {
    await until(() => fromMemory(ours, [line(1), line(n)]) === `${hash(1_000_001)}\n\n`);
    await until(() => fromMemory(ours, [hash(1_000_001), hash(n)], 'unihashes') === 'true\nfalse\n');
    await theirs.reportEquivalent([task(n, n)]);
    const stored = performance.now();
    // Older than this no answer may be.
    while (fromMemory(ours, [line(n)]) === '\n' || fromMemory(ours, [hash(n)], 'unihashes') === 'false\n') {
      assert.ok(performance.now() - stored < 10_000, 'it is still not there');
      await new Promise(setImmediate);
    }
    await until(() => fromMemory(ours, [line(n)]) === `${hash(n)}\n`);
    await until(() => fromMemory(ours, [hash(n)], 'unihashes') === 'true\n');
  }
});

test('what this server stores is no miss when it is answered', async (t) => {
  const { open } = files(t);
  const store = await open();
  await store.reportEquivalent([task(1, 101)]);
  const rows = Array.from({ length: 60 }, (_, n) => n + 2);
  for (const n of rows) {
    await until(() => fromMemory(store, [line(1), line(n)]) === `${hash(101)}\n\n`);
    await until(() => fromMemory(store, [hash(101), hash(n)], 'unihashes') === 'true\nfalse\n');
    if (n % 3 === 0) await store.importRows('unihashes', [[METHOD, hash(n), hash(n)]]);
    else if (n % 3 === 1) await store.reportEquivalent([task(n, n)]);
    else await store.report([reportOf(hash(n), `o${n}`, hash(n))]);
    assert.ok([undefined, `${hash(n)}\n`].includes(fromMemory(store, [line(n)])), `task ${n}`);
    assert.ok([undefined, 'true\n'].includes(fromMemory(store, [hash(n)], 'unihashes')), `unihash ${n}`);
  }
});

for (const [where, taskhash, method] of [
  ['a task whose taskhash has another form', 'odd', METHOD],
  ['a task whose taskhash has a blank', 'a b', METHOD],
  ['a method that no line can name', hash(1), 'm\u0001'],
] as const) {
  test(`a unihash that only ${where} has is not absent, whoever stores it and however it is removed`, async (t) => {
    const { file, open } = files(t);
    await open();
    await storeRows(file, 10);
    const [ours, theirs] = [await open(), await open()];
    const said = () => fromMemory(ours, [hash(5000)], 'unihashes');
    const row = { method, taskhash, unihash: hash(5000) };
    for (const store of [ours, theirs, ours]) {
      await until(() => said() === 'false\n');
      await store.reportEquivalent([row]);
      if (store === ours) assert.equal(said(), undefined);
      await until(() => said() === undefined && ours.loading.state === 'all');
      assert.deepEqual(await ours.unihashesExist([hash(5000)]), [true]);
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.notEqual(said(), 'false\n');
      await doAll(theirs, remove(taskhash));
    }
  });
}

test('a unihash of several tasks is absent once the last of them is removed, and not before', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 10);
  const store = await open();
  const said = () => fromMemory(store, [hash(7777)], 'unihashes');
  await store.reportEquivalent([1, 2, 3].map((n) => task(100 + n, 7777)));
  await until(() => store.loading.state === 'all' && said() === 'true\n');
  for (const n of [1, 3]) {
    await doAll(store, remove(hash(100 + n)));
    assert.ok([undefined, 'true\n'].includes(said()));
  }
  await doAll(store, remove(hash(102)));
  await until(() => said() === 'false\n');
});

test('a row whose unihash has another form is no miss', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 10);
  await withSqlite(file, (run) => run(`UPDATE unihashes_v3 SET unihash = 'odd' WHERE taskhash = '${hash(5)}'`));
  const store = await open();
  await until(() => store.loading.state === 'all');
  assert.equal(fromMemory(store, [line(5)]), undefined);
  assert.deepEqual(await store.unihashes([line(5)]), ['odd']);
});

test('a row with a NUL behind its 64 digits, as another program may store it, keeps none of its neighbours out', async (t) => {
  const { file, open } = files(t);
  await open();
  await storeRows(file, 100);
  await storeRows(file, 1, 500, "printf('%064x', 7777) || char(0) || 'x'");
  await storeRows(file, 100, 1000);
  const store = await open();
  await until(() => store.loading.state === 'all');
  await awake(store, line(0));
  for (const n of [0, 99, 1000, 1099]) assert.equal(store.knownUnihash(line(n)), hash(n + 1_000_000));
  assert.equal(store.knownUnihash(line(7777)), undefined);
});
