import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { compareRevisions } from '../../lib/prserv/revision.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { hash, METHOD, temporaryFolder, until, withSqlite } from './helpers.ts';
import { type Opened, opened, PKG } from './pr-opened.ts';

const key = (checksum: string) => ({ ...PKG, checksum });
const give = async (store: PrStore, checksum: string, history = false) =>
  (await store.getPr([{ ...key(checksum), history }]))[0];

/** Whether what is asked is answered at once. */
const isAtOnce = (answers: unknown) => !(answers instanceof Promise);

/** Until the store answers from memory: nobody else has written for a while. */
async function settled({ store }: Opened): Promise<void> {
  await until(async () => {
    await store.values([key('a')]);
    return isAtOnce(store.values([key('a')]));
  });
}

/** Rows as another program stores them. */
const foreign = (file: string, checksum: string, value: string) =>
  withSqlite(file, (run) =>
    run('INSERT INTO PRMAIN VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', [PKG.version, PKG.pkgarch, checksum, value]),
  );

describe('PR values from memory', () => {
  test('are there once a package was asked for: no statement is needed for any of its checksums, or for one it has not', async (t) => {
    const on = await opened(t);
    for (const checksum of ['a', 'b', 'c']) await give(on.store, checksum);
    await settled(on);
    on.read.statements = 0;
    assert.deepEqual(on.store.values([key('a'), key('c'), key('none')]), [['0'], ['2'], []]);
    assert.deepEqual(on.store.maxima([PKG]), ['2']);
    assert.equal(on.read.statements, 0);
    assert.deepEqual(await on.store.maxima([{ ...PKG, version: 'other' }]), [null]);
    assert.deepEqual(on.store.maxima([{ ...PKG, version: 'other' }]), [null]);
    assert.equal(on.read.statements, 1);
  });

  test('with history a known checksum is answered so too; without, others are asked about first', async (t) => {
    const on = await opened(t);
    for (const checksum of ['a', 'b', 'c']) await give(on.store, checksum);
    await settled(on);
    assert.equal(await give(on.store, 'c'), '2');
    on.read.statements = 0;
    assert.equal(await give(on.store, 'a', true), '0');
    assert.equal(on.read.statements, 0);
    assert.equal(await give(on.store, 'c'), '2');
    assert.equal(on.read.statements, 1);
  });

  test('a batch of get-prs takes one thread hop if its packages are in memory, and two if not', async (t) => {
    const on = await opened(t);
    // The first look for commits of others comes by itself, and empties the memory; after it nobody looks who is not asked to.
    await until(() => on.database.foreignSeenAt() > 0);
    const batch = (from: number) =>
      Array.from({ length: 16 }, (_, n) => ({ ...key(`c${from}`), version: `v${n}`, history: false }));
    await give(on.store, 'a');
    for (const [from, hops] of [2, 1, 1].entries()) {
      on.read.statements = 0;
      assert.deepEqual(await on.store.getPr(batch(from)), Array(16).fill(String(from)));
      assert.equal(on.read.statements, hops);
    }
    await foreign(on.file, 'other', '5');
    await on.store.getPr(batch(3));
    await on.store.getPr(batch(4));
    on.read.statements = 0;
    assert.deepEqual(await on.store.getPr(batch(5)), Array(16).fill('5'));
    assert.equal(on.read.statements, 1, 'also once others have written');
  });

  test('what this server stores, imports or removes is answered from then on', async (t) => {
    const on = await opened(t);
    const { store } = on;
    await give(store, 'a');
    await settled(on);
    const read = async (checksum: string) => (await store.values([key(checksum)]))[0];
    for (let n = 0; n < 20; n++) {
      const checksum = `c${n}`;
      // One read is under way while it is stored.
      const before = [store.maxima([{ ...PKG, version: `w${n}` }]), read(checksum), read('none')];
      const value = await give(store, checksum);
      assert.deepEqual(await read(checksum), [value]);
      await Promise.all(before);
      assert.deepEqual(await read(checksum), [value]);
      await store.importRows([{ ...key(checksum), value: '1000.7' }]);
      assert.deepEqual(await read(checksum), [value, '1000.7']);
      await store.importAll([{ ...key(`${checksum}x`), value: '0.1' }], 10);
      assert.deepEqual(await read(`${checksum}x`), ['0.1']);
      await store.removeRows({ ...key(checksum), value: '1000.7' });
      assert.deepEqual(await read(checksum), [value]);
      assert.deepEqual(await store.maxima([PKG]), [value]);
    }
  });

  test('are never those from before another server gave out a value, after a moment', async (t) => {
    const file = path.join(temporaryFolder(t), 'pr.db');
    const [ours, theirs] = [await opened(t, file), await opened(t, file)];
    await give(ours.store, 'a');
    for (let n = 0; n < 3; n++) {
      await settled(ours);
      const value = await give(theirs.store, `theirs${n}`);
      await until(async () => (await ours.store.maxima([PKG]))[0] === value);
      assert.deepEqual(await ours.store.values([key(`theirs${n}`)]), [[value]]);
      await settled(ours);
      assert.deepEqual(ours.store.maxima([PKG]), [value]);
      // What it gives out itself never rests on what is old, not even for a moment.
      const next = await give(ours.store, `ours${n}`);
      assert.equal(next, String(Number(value) + 1));
      assert.equal(await give(theirs.store, `theirs${n}`), String(Number(next) + 1));
      assert.equal(await give(ours.store, `ours${n}`), String(Number(next) + 2));
    }
  });

  test('while another process writes the database is asked each time', async (t) => {
    const on = await opened(t);
    await give(on.store, 'a');
    await settled(on);
    await foreign(on.file, 'other', '5');
    await until(async () => {
      const answers = on.store.values([key('a')]);
      await answers;
      return !isAtOnce(answers);
    });
    on.read.statements = 0;
    for (let n = 0; n < 3; n++) await on.store.values([key('a')]);
    assert.equal(on.read.statements, 3);
  });

  test('of a read-only server are those of the file, soon after another has written', async (t) => {
    const { store: writable, file } = await opened(t);
    for (const checksum of ['a', 'b']) await give(writable, checksum);
    const on = await opened(t, file, true);
    await settled(on);
    assert.deepEqual(await on.store.getPr(['a', 'b'].map((each) => ({ ...key(each), history: true }))), ['0', '1']);
    assert.deepEqual(on.store.maxima([PKG]), ['1']);
    assert.equal(await give(writable, 'c'), '2');
    await until(async () => (await on.store.maxima([PKG]))[0] === '2');
    await settled(on);
    assert.deepEqual(on.store.maxima([PKG]), ['2']);
    // Of a checksum that is new here, the file is asked.
    assert.equal(await give(on.store, 'd'), '3');
    await writable.removeRows({ ...key('c'), value: null });
    await until(async () => (await on.store.maxima([PKG]))[0] === '1');
  });

  test('of a package with many rows are its largest, and the checksums asked for', async (t) => {
    const on = await opened(t);
    await withSqlite(on.file, (run) =>
      run(
        `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 300)
         INSERT INTO PRMAIN SELECT ?, ?, 'c' || i, i FROM n`,
        [PKG.version, PKG.pkgarch],
      ),
    );
    await until(async () => {
      await on.store.maxima([PKG]);
      return isAtOnce(on.store.maxima([PKG]));
    });
    assert.deepEqual(on.store.maxima([PKG]), ['299']);
    assert.deepEqual(await on.store.values([key('c7')]), [['7']]);
    assert.deepEqual(on.store.values([key('c7')]), [['7']]);
    on.read.characters = 0;
    assert.deepEqual(await on.store.values([key('none')]), [[]]);
    assert.ok(on.read.characters < 200, `${on.read.characters} characters were read`);
    assert.equal(await give(on.store, 'new'), '300');
    assert.deepEqual(on.store.maxima([PKG]), ['300']);
  });
});

test('a value given out in one transaction with reports is in memory too', async (t) => {
  const on = await opened(t);
  const hashes = await createHashStore({ database: on.database, cacheBytes: 0, log: SILENT });
  await give(on.store, 'a');
  for (let n = 0; n < 20; n++) {
    const equivalence = { method: METHOD, taskhash: hash(n), unihash: hash(n) };
    const [, mixed] = await Promise.all([hashes.reportEquivalent([equivalence]), give(on.store, `mixed${n}`)]);
    assert.equal(mixed, String(2 * n + 1));
    assert.equal(await give(on.store, `alone${n}`), String(2 * n + 2));
  }
});

test('what is given out rests on nobody telling of others: no value twice, though look-ups fill the memory with what is old', async (t) => {
  const step = fc.record({
    who: fc.nat(1),
    what: fc.constantFrom('give', 'give', 'ask', 'turn'),
    n: fc.nat(40),
    waits: fc.boolean(),
  });
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
    const file = path.join(temporaryFolder(t), 'pr.db');
    const stores = await Promise.all([deaf(t, file), deaf(t, file)]);
    const given = new Map<string, unknown>();
    const running: Promise<unknown>[] = [];
    for (const { who, what, n, waits } of steps) {
      const store = stores[who]!;
      const checksum = `c${n}`;
      if (what === 'turn') await new Promise(setImmediate);
      else if (what === 'ask') running.push(Promise.resolve(store.maxima([PKG])));
      else running.push(give(store, checksum, true).then((value) => given.set(`${checksum}`, value)));
      if (waits) await running.at(-1);
    }
    await Promise.all(running);
    assert.equal(new Set(given.values()).size, given.size, JSON.stringify([...given]));
  });
  await fc.assert(property, { numRuns: 60 });
});

/** A store that always takes what it has in memory for new enough, and is told of no commit of others. Its reads come late. */
async function deaf(t: TestContext, file: string): Promise<PrStore> {
  const { database } = await opened(t, file);
  const late = async <T>(rows: Promise<T>) => {
    const read = await rows;
    for (let turns = 0; turns < 30; turns++) await new Promise(setImmediate);
    return read;
  };
  return createPrStore(
    {
      ...database,
      foreignSeenAt: () => performance.now(),
      onForeignCommit() {},
      read: (on, sql, params) =>
        on === database.reads ? late(database.read(on, sql, params)) : database.read(on, sql, params),
    },
    SILENT,
  );
}

test('whatever two servers and a program do to a package, no value is given twice and both end with what the file holds', async (t) => {
  const step = fc.record({
    who: fc.nat(1),
    what: fc.constantFrom('give', 'give', 'give', 'import', 'remove', 'foreign', 'ask', 'all at once', 'turns'),
    n: fc.nat(6),
    history: fc.boolean(),
  });
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const file = path.join(temporaryFolder(t), 'pr.db');
    const stores = [(await opened(t, file)).store, (await opened(t, file)).store];
    const rows = () =>
      withSqlite(file, (run) => run('SELECT checksum, value FROM PRMAIN')) as Promise<
        { checksum: string; value: string }[]
      >;
    const owners = new Map<string, string>();
    /** Further than all that is given out between two of them. */
    let imported = 1000;
    const nextImported = () => {
      imported += 1000;
      return String(imported);
    };
    const own = (checksum: string, value: unknown) => {
      assert.equal(owners.get(String(value)) ?? checksum, checksum, `${value} was given to two checksums`);
      owners.set(String(value), checksum);
    };
    for (const { who, what, n, history } of steps) {
      const store = stores[who]!;
      const checksum = `c${n}`;
      if (what === 'give') {
        const value = await give(store, checksum, history);
        own(checksum, value);
        assert.ok((await store.values([key(checksum)]))[0]!.includes(String(value)));
      } else if (what === 'all at once') {
        const asked = Array.from({ length: 4 }, (_, i) => `c${n + i}`);
        const given = await Promise.all(asked.map((each, i) => give(stores[i % 2]!, each, history)));
        for (const [i, value] of given.entries()) own(asked[i]!, value);
      } else if (what === 'import') {
        const value = nextImported();
        await store.importRows([{ ...key(checksum), value }]);
        own(checksum, value);
        assert.equal((await store.maxima([PKG]))[0], value);
      } else if (what === 'foreign') {
        const value = nextImported();
        own(checksum, value);
        await foreign(file, checksum, value);
      } else if (what === 'remove') {
        await store.removeRows({ ...key(checksum), value: null });
        assert.deepEqual(await store.values([key(checksum)]), [[]]);
        // A removed value may be given out again.
        for (const [value, owner] of owners) if (owner === checksum) owners.delete(value);
      } else if (what === 'ask') await Promise.all([store.values([key(checksum)]), store.maxima([PKG])]);
      else await new Promise((resolve) => setTimeout(resolve, n * 30));
    }
    const held = await rows();
    const largest =
      held
        .map(({ value }) => value)
        .sort(compareRevisions)
        .at(-1) ?? null;
    for (const store of stores) {
      await until(async () => (await store.maxima([PKG]))[0] === largest);
      for (let n = 0; n < 10; n++) {
        const values = held.filter(({ checksum }) => checksum === `c${n}`).map(({ value }) => value);
        const sorted = values.sort(compareRevisions);
        await until(async () => {
          const found = (await store.values([key(`c${n}`)]))[0]!;
          return found[0] === sorted[0] && found.at(-1) === sorted.at(-1);
        });
      }
    }
  });
  await fc.assert(property, { numRuns: 15 });
});
