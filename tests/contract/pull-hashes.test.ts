import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HashStore, RowValues } from '../../lib/hashserv/store.ts';
import { SILENT } from '../../lib/log.ts';
import { type HashPlaces, type HashPull, type HashStep, NO_PLACES, pullHashes } from '../../lib/pull/hashes.ts';
import type { Selection } from '../../lib/pull/selection.ts';
import type { PullSource } from '../../lib/pull/source.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { hash, METHOD, type Running, temporaryFolder } from './helpers.ts';

const ALL: Selection = { hashes: true, prs: false, packages: null, pkgarch: null, methods: null, since: null };
const CREATED = '2026-11-21T12:00:00.000000+00:00';

async function openStore(t: Running): Promise<HashStore> {
  const file = path.join(temporaryFolder(t), 'hash.db');
  const onFatal = (error: Error) => assert.fail(error);
  const sync = { kind: 'on_shutdown' } as const;
  const database = await openDatabase({ file, readOnly: false, init: false, syncMode: sync, log: SILENT, onFatal });
  t.after(() => database.close(1000));
  return createHashStore({ database, cacheBytes: 0, log: SILENT });
}

/** The tables of a source, as [id, row]; a test may change them. */
interface Tables {
  unihashes: [id: number, row: RowValues][];
  outhashes: [id: number, row: RowValues][];
}

/** A source in memory that says which rows were read of it. */
function sourceOf(tables: Tables, sliceRows = 4) {
  const read = { unihashes: 0, outhashes: 0 };
  const source: PullSource = {
    name: 'the source',
    parts: new Set(['unihashes', 'outhashes']),
    isOther: false,
    count: async (part) => (part === 'values' ? null : tables[part].length),
    async slice(part, after, limits) {
      assert.notEqual(part, 'values');
      const table = part as keyof Tables;
      const some = tables[table].filter(([id]) => id > Number(after ?? 0)).slice(0, Math.min(sliceRows, limits.rows));
      read[table] += some.length;
      const last = some.at(-1)?.[0];
      const more = last !== undefined && tables[table].some(([id]) => id > last);
      return { rows: some.map(([, row]) => row), odd: [], next: more ? String(last) : null };
    },
    unihashesOf: async (tasks) =>
      tasks.map(
        ([method, taskhash]) =>
          tables.unihashes.find(([, row]) => row[0] === method && row[1] === taskhash)?.[1][2] ?? null,
      ),
    id: async () => 'the id',
    close: async () => {},
  };
  return { source, read };
}

/** `count` tasks, each with its report. */
function tablesOf(count: number, recipe: (n: number) => string | null = () => 'busybox'): Tables {
  const numbers = Array.from({ length: count }, (_, n) => n);
  return {
    unihashes: numbers.map((n) => [n + 1, [METHOD, hash(n), hash(n + 1000)]]),
    outhashes: numbers.map((n) => [
      n + 1,
      [METHOD, hash(n), hash(n + 2000), CREATED, null, recipe(n), '1.0', 'r0', 'do_compile', null],
    ]),
  };
}

async function pullAll(pull: Partial<HashPull> & Pick<HashPull, 'source' | 'store'>): Promise<HashStep> {
  const rest = { selection: ALL, dryRun: false, from: NO_PLACES, onStored: () => {}, note: () => {}, overlapRows: 8 };
  const steps = pullHashes({ ...rest, ...pull });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

async function rowsIn(store: HashStore): Promise<{ unihashes: RowValues[]; outhashes: RowValues[] }> {
  const of = async (table: 'unihashes' | 'outhashes') =>
    [...(await store.exportRows(table, 0, 1000, 1 << 24)).rows].sort((a, b) => (a.join() < b.join() ? -1 : 1));
  return { unihashes: await of('unihashes'), outhashes: await of('outhashes') };
}

const none = { new: 0, equal: 0, differing: 0, refused: 0 };

describe('hashes that are pulled', () => {
  test('come in beside ours; a task that has a unihash here keeps it', async (t) => {
    const store = await openStore(t);
    await store.importRows('unihashes', [
      [METHOD, hash(0), hash(7777)],
      [METHOD, hash(1), hash(1001)],
    ]);
    const told: string[] = [];
    const onStored = (task: string) => void told.push(task);
    const { counts } = await pullAll({ source: sourceOf(tablesOf(10)).source, store, onStored });
    assert.deepEqual(counts.unihashes, { ...none, new: 8, equal: 1, differing: 1 });
    assert.deepEqual(counts.outhashes, { ...none, new: 10 });
    assert.equal(await store.unihash(METHOD, hash(0)), hash(7777));
    assert.equal(await store.unihash(METHOD, hash(9)), hash(1009));
    assert.ok(told.includes(`${METHOD} ${hash(9)}`), 'who had found it missing is told');
  });

  test('a dry run counts what would be done, and does nothing', async (t) => {
    const store = await openStore(t);
    await store.importRows('unihashes', [[METHOD, hash(0), hash(7777)]]);
    const before = await rowsIn(store);
    const { source } = sourceOf(tablesOf(10));
    const { counts } = await pullAll({ source, store, dryRun: true });
    assert.deepEqual(await rowsIn(store), before);
    assert.deepEqual((await pullAll({ source, store })).counts, counts);
    assert.deepEqual(counts.unihashes, { ...none, new: 9, differing: 1 });
  });

  test('rows that no server takes are left out and counted', async (t) => {
    const store = await openStore(t);
    const tables = tablesOf(3);
    tables.unihashes[1]![1] = [METHOD, hash(1), 'no unihash'];
    const { counts } = await pullAll({ source: sourceOf(tables).source, store });
    assert.deepEqual(counts.unihashes, { ...none, new: 2, refused: 1 });
    assert.deepEqual(counts.outhashes, { ...none, new: 3 });
  });

  test('only those of recipes, with the unihashes of their tasks, come with a pattern', async (t) => {
    const store = await openStore(t);
    const tables = tablesOf(9, (n) => ['busybox', 'bash', null][n % 3]!);
    const { counts } = await pullAll({
      source: sourceOf(tables).source,
      store,
      selection: { ...ALL, packages: 'busy*' },
    });
    assert.deepEqual([counts.unihashes.new, counts.outhashes.new], [3, 3]);
    assert.deepEqual(
      (await rowsIn(store)).unihashes.map((row) => row[1]),
      [0, 3, 6].map(hash).sort(),
    );
  });

  test('only those of methods, and since a row', async (t) => {
    const tables = tablesOf(6);
    tables.unihashes[5]![1] = ['other', hash(5), hash(1005)];
    tables.outhashes[5]![1] = tables.outhashes[5]![1].with(0, 'other');
    for (const [selection, wanted] of [
      [{ methods: ['other'] }, [1, 1]],
      [{ since: { id: 4 } }, [2, 2]],
    ] as const) {
      const store = await openStore(t);
      const { counts } = await pullAll({ source: sourceOf(tables).source, store, selection: { ...ALL, ...selection } });
      assert.deepEqual([counts.unihashes.new, counts.outhashes.new], wanted);
    }
  });
});

describe('the next pull of a source', () => {
  /** Pulls 100 rows, changes the source, and pulls again. */
  async function again(t: Running, change: (tables: Tables) => void) {
    const store = await openStore(t);
    const tables = tablesOf(100);
    const notes: string[] = [];
    const { places } = await pullAll({ source: sourceOf(tables).source, store });
    change(tables);
    const { source, read } = sourceOf(tables);
    const from: HashPlaces = JSON.parse(JSON.stringify(places));
    const { counts } = await pullAll({ source, store, from, note: (text) => void notes.push(text) });
    assert.deepEqual(await rowsIn(store).then(({ unihashes }) => unihashes.length), 100 + counts.unihashes.new);
    return { counts, read, notes };
  }
  const more = (from: number, count: number) => ({
    unihashes: tablesOf(from + count).unihashes.slice(from),
    outhashes: tablesOf(from + count).outhashes.slice(from),
  });

  test('costs what is new, and a few rows that were read before', async (t) => {
    const { counts, read, notes } = await again(t, (tables) => {
      tables.unihashes.push(...more(100, 5).unihashes);
      tables.outhashes.push(...more(100, 3).outhashes);
    });
    assert.deepEqual([counts.unihashes.new, counts.outhashes.new], [5, 3]);
    assert.ok(read.unihashes < 40 && read.outhashes < 40, `${read.unihashes} and ${read.outhashes} of 100 rows`);
    assert.deepEqual(notes, []);
  });

  test('writes nothing where all is here: rows are compared, which holds up nobody', async (t) => {
    const store = await openStore(t);
    const { source } = sourceOf(tablesOf(100));
    const { places } = await pullAll({ source, store });
    let written = 0;
    const watched: HashStore = {
      ...store,
      importRows: (...given) => {
        written++;
        return store.importRows(...given);
      },
    };
    const from: HashPlaces = JSON.parse(JSON.stringify(places));
    const { counts } = await pullAll({ source: sourceOf(tablesOf(100)).source, store: watched, from });
    assert.ok(counts.unihashes.equal > 0 && counts.outhashes.equal > 0);
    assert.equal(written, 0);
  });

  test('that is given up leaves nothing that is still being stored', async (t) => {
    const store = await openStore(t);
    let under = 0;
    const slow: HashStore = {
      ...store,
      async importRows(...given) {
        under++;
        await new Promise((resolve) => setImmediate(resolve));
        const stored = await store.importRows(...given);
        under--;
        return stored;
      },
    };
    const rest = { selection: ALL, dryRun: false, onStored: () => {}, note: () => {}, from: NO_PLACES };
    const steps = pullHashes({ ...rest, source: sourceOf(tablesOf(4000), 1000).source, store: slow });
    await steps.next();
    assert.ok(under > 0, 'the next rows are on their way');
    await steps.return(null as never);
    assert.equal(under, 0);
  });

  test('finds a row that turned up behind one that had been read', async (t) => {
    const { counts } = await again(t, (tables) => {
      tables.unihashes.splice(98, 0, [98.5, [METHOD, hash(555), hash(556)]]);
    });
    assert.equal(counts.unihashes.new, 1);
  });

  for (const [what, change] of [
    ['was restored, and has gone on otherwise', (list: Tables['unihashes']) => list.splice(50, 50, ...renamed(50))],
    ['was restored, and is short', (list: Tables['unihashes']) => list.splice(50)],
    ['has begun with its ids again', (list: Tables['unihashes']) => list.splice(0, 100, ...backwards(list))],
    ['has lost rows there', (list: Tables['unihashes']) => list.splice(80, 20)],
  ] as const)
    test(`reads all of it again where the source ${what}`, async (t) => {
      const { read, notes } = await again(t, ({ unihashes }) => {
        change(unihashes);
        unihashes.sort(([a], [b]) => a - b);
      });
      assert.equal(notes.length, 1);
      assert.match(notes[0]!, /unihashes: rows that were read the last time are not in the source any more/);
      assert.ok(read.unihashes >= 50);
    });

  const backwards = (list: Tables['unihashes']): Tables['unihashes'] => list.map(([id, row]) => [500 - id, row]);
  const renamed = (count: number): Tables['unihashes'] =>
    Array.from({ length: count }, (_, n) => [51 + n, [METHOD, hash(5000 + n), hash(6000 + n)]]);

  test('goes on wherever the one before was cut off, and ends as if it had not been', async (t) => {
    const store = await openStore(t);
    const everything = tablesOf(200);
    let expected = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), async (count, cut) => {
        const tables = {
          unihashes: everything.unihashes.slice(expected, expected + count),
          outhashes: everything.outhashes.slice(expected, expected + count),
        };
        const once = { selection: ALL, dryRun: false, onStored: () => {}, note: () => {} };
        const rest = { ...once, overlapRows: 3, poolRows: 10 };
        const steps = pullHashes({ ...rest, source: sourceOf(tables, 3).source, store, from: NO_PLACES });
        let from: HashPlaces = NO_PLACES;
        for (let n = 0; n < cut; n++) {
          const { done, value } = await steps.next();
          from = value.places;
          if (done) break;
        }
        await steps.return(null as never);
        await pullAll({ source: sourceOf(tables, 5).source, store, from, overlapRows: 3 });
        const { counts } = await pullAll({ source: sourceOf(tables, 5).source, store, dryRun: true });
        assert.deepEqual([counts.unihashes.new, counts.outhashes.new], [0, 0]);
        expected = (expected + count) % 150;
      }),
      { numRuns: 40 },
    );
  });
});
