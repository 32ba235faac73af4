import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Logger } from '../../lib/log.ts';
import { SILENT } from '../../lib/log.ts';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { hash, METHOD, type Running, reportOf, temporaryFolder, withSqlite } from './helpers.ts';

async function opened(t: Running) {
  const file = path.join(temporaryFolder(t), 'odd.db');
  const onFatal = (error: Error) => assert.fail(error);
  const sync = { kind: 'on_shutdown' } as const;
  const real = await openDatabase({ file, readOnly: false, init: false, syncMode: sync, log: SILENT, onFatal });
  t.after(() => real.close(1000));
  const warnings: string[] = [];
  const log: Logger = { ...SILENT, warn: (message) => void warnings.push(message) };
  const read = { characters: 0, statements: 0 };
  const database = {
    ...real,
    async read<Row>(connection: Binding, sql: string, params?: readonly (string | number | null)[]) {
      const rows = await real.read<Row>(connection, sql, params);
      read.statements++;
      read.characters += JSON.stringify(rows).length;
      return rows;
    },
  };
  const store = await createHashStore({ database, cacheBytes: 1024 * 1024, log });
  return { store, file, warnings, read };
}

const ODD = {
  'a blob': "x'00ff41'",
  'a blob of digits': "CAST('0123456789abcdef' AS BLOB)",
  'a text with line ends': "'a' || char(10) || 'b' || char(10) || 'c'",
  'a text that is not ASCII': "'unihash é'",
  'a text with control characters': "char(27) || '[31m'",
  'a text that is not UTF-8': "CAST(x'ff41' AS TEXT)",
};

describe('a row of another program whose unihash is no plain text', () => {
  for (const [what, sql] of Object.entries(ODD)) {
    test(`${what}: costs its own line only`, async (t) => {
      const { store, file, warnings } = await opened(t);
      const tasks = Array.from({ length: 20 }, (_, i) => `t${i}`);
      await store.report(tasks.map((task, i) => reportOf(task, `o${i}`, hash(i))));
      await withSqlite(file, (run) => run(`UPDATE unihashes_v3 SET unihash = ${sql} WHERE taskhash = 't7'`));
      const expected = tasks.map((_, i) => (i === 7 ? null : hash(i)));
      // Asked as another server would, that has none of it in memory.
      const other = await createOther(t, file);
      for (const methods of [tasks.map(() => METHOD), tasks.map((_, i) => (i % 2 ? METHOD : 'other'))]) {
        const found = await other.store.unihashes(tasks.map((task, i) => `${methods[i]} ${task}`));
        const wanted = expected.map((unihash, i) => (methods[i] === METHOD ? unihash : null));
        // A blob of nothing but letters and digits reads as the text it is.
        if (what === 'a blob of digits') wanted[7] = found[7]!;
        assert.deepEqual(found, wanted);
      }
      assert.ok(other.warnings.length <= 1);
      if (!what.startsWith('a blob')) assert.equal(other.warnings.length, 1);
      assert.deepEqual(warnings, []);
    });
  }

  test('a blob: is a miss for get and get-outhash too, and a report is answered with what was proposed', async (t) => {
    const { file } = await opened(t);
    const { store } = await createOther(t, file);
    await store.report([reportOf('t1', 'o1', hash(1)), reportOf('t2', 'o2', hash(2))]);
    await withSqlite(file, (run) => run("UPDATE unihashes_v3 SET unihash = x'00ff' WHERE taskhash = 't1'"));
    assert.deepEqual(await store.tasks([{ method: METHOD, taskhash: 't1' }]), [null]);
    const queries = ['o1', 'o2'].map((outhash) => ({ method: METHOD, outhash, withUnihash: true }));
    assert.deepEqual(
      (await store.outhashes(queries)).map((row) => row?.unihash ?? null),
      [null, hash(2)],
    );
    assert.deepEqual(await store.report([reportOf('t1', 'o3', hash(5))]), [hash(5)]);
    const [stated] = await store.reportEquivalent([{ method: METHOD, taskhash: 't1', unihash: hash(6) }]);
    assert.equal(stated, hash(6));
  });

  test('other columns that hold no text are answered as null', async (t) => {
    const { store, file } = await opened(t);
    await store.report([reportOf('t1', 'o1', hash(1), { PN: 'pn' })]);
    await withSqlite(file, (run) => run("UPDATE outhashes_v2 SET PN = x'00ff', outhash_siginfo = x'00'"));
    const [row] = await store.tasks([{ method: METHOD, taskhash: 't1' }]);
    assert.deepEqual([row!.PN, row!.outhash_siginfo, row!.unihash], [null, null, hash(1)]);
  });
});

async function createOther(t: Running, file: string) {
  const onFatal = (error: Error) => assert.fail(error);
  const warnings: string[] = [];
  const log: Logger = { ...SILENT, warn: (message) => void warnings.push(message) };
  const sync = { kind: 'on_shutdown' } as const;
  const database = await openDatabase({ file, readOnly: false, init: false, syncMode: sync, log: SILENT, onFatal });
  t.after(() => database.close(1000));
  return { store: await createHashStore({ database, cacheBytes: 1024 * 1024, log }), warnings };
}

describe('rows with a very long siginfo', () => {
  test('are not read until they are taken, however many are asked for at once', async (t) => {
    const { store, read } = await opened(t);
    const long = 's'.repeat(1024 * 1024);
    for (let i = 0; i < 20; i++) await store.report([reportOf(`t${i}`, `o${i}`, hash(i), { outhash_siginfo: long })]);
    read.characters = 0;
    const queries = Array.from({ length: 20 }, (_, i) => ({ method: METHOD, outhash: `o${i}`, withUnihash: true }));
    const asked = await Promise.all(Array.from({ length: 50 }, () => store.outhashes(queries)));
    for (const rows of asked) for (const [i, row] of rows.entries()) assert.equal(row!.unihash, hash(i));
    assert.ok(read.characters < 1_000_000, `${read.characters} characters were read`);
  });

  test('are asked for once where they are asked for together', async (t) => {
    const { store, read } = await opened(t);
    await store.report([reportOf('t', 'o', hash(1), { outhash_siginfo: 's'.repeat(30_000) })]);
    read.characters = 0;
    const query = { method: METHOD, outhash: 'o', withUnihash: true };
    const rows = await Promise.all(Array.from({ length: 200 }, () => store.outhashes([query])));
    for (const [row] of rows) assert.equal(row!.unihash, hash(1));
    assert.ok(read.characters < 100_000, `${read.characters} characters were read`);
  });
});
