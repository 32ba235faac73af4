import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { openDatabaseSource, openDatabaseTarget } from '../../lib/server.ts';
import type { Row } from '../../lib/transfer/parts.ts';
import { Interrupted } from '../../lib/transfer/slices.ts';
import { type PostgresServer, startPostgres } from '../postgres/server.ts';
import { anyRows, contentOf, copyBetween, fill } from './copy-helpers.ts';
import { hash, temporaryFolder, withSqlite } from './helpers.ts';

const AT = '2026-11-21T19:00:00.000000+00:00';
const unihash = (task: string, n: number, mark = ''): Row => ['m', task, hash(n), mark];
const outhash = (task: string, out: string, siginfo: string | null = null): Row => {
  return ['m', task, out, AT, 'somebody', 'pn', '1', 'r0', 'do_x', siginfo];
};
const value = (version: string, checksum: string, pr: string): Row => [version, 'core2', checksum, pr];
const many = (count: number) => Array.from({ length: count }, (_, i) => unihash(`t${i}`, i));

let server: PostgresServer;
const folder = temporaryFolder({ after });
let made = 0;
const newFile = async () => path.join(folder, `${made++}.db`);
const newDatabase = () => server.newDatabase();
const PAIRS = [
  ['SQLite to SQLite', newFile, newFile],
  ['SQLite to PostgreSQL', newFile, newDatabase],
  ['PostgreSQL to SQLite', newDatabase, newFile],
] as const;

before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

for (const [name, newFrom, newTo] of PAIRS) {
  describe(`a copy from ${name}`, () => {
    test('and one back have every row, in its order', async () => {
      await fc.assert(
        fc.asyncProperty(anyRows, async (rows) => {
          const from = await fill(await newFrom(), rows);
          const [to, back] = [await newTo(), await newFrom()];
          await copyBetween(from, to, { users: true });
          await copyBetween(to, back, { users: true });
          const [first, last] = [await contentOf(from), await contentOf(back)];
          assert.deepEqual(last, first);
          assert.equal(first.outhashes.length, rows.outhashes!.length);
        }),
        { numRuns: 4 },
      );
    });

    test('keeps gc marks, the current mark, owner and created, and says what it did', async () => {
      const from = await fill(await newFrom(), {
        unihashes: [unihash('t1', 1, 'kept'), unihash('t2', 2)],
        outhashes: [outhash('t2', 'o'), outhash('t1', 'o')],
        config: [
          ['gc-mark', 'kept'],
          ['bakeserv-id', 'which database it is: the copy is another one'],
        ],
        values: [value('a-1-r0', 'c', '10')],
        users: [['admin', 'sha256:00:11', '@all']],
      });
      const to = await newTo();
      const reports = await copyBetween(from, to);
      const counts = [...reports].map(([part, { rows, added, checkedBy }]) => [part, rows, added, checkedBy]);
      assert.deepEqual(counts, [
        ['unihashes', 2, 2, 'hash'],
        ['outhashes', 2, 2, 'hash'],
        ['config', 1, 1, 'hash'],
        ['values', 1, 1, 'hash'],
      ]);
      // Users only on request.
      assert.deepEqual(await contentOf(to), { ...(await contentOf(from)), users: [] });
      const again = await copyBetween(from, to, { users: true });
      assert.deepEqual([again.get('unihashes')!.equal, again.get('users')!.added], [2, 1]);
      assert.deepEqual(await contentOf(to), await contentOf(from));
    });

    test('keeps rows that differ in the target, and names them', async () => {
      const mine = { unihashes: [unihash('t1', 9), unihash('t9', 9)], outhashes: [outhash('t1', 'o', 'mine')] };
      const from = await fill(await newFrom(), {
        unihashes: [unihash('t1', 1), unihash('t2', 2, 'mark'), unihash('t3', 3)],
        outhashes: [outhash('t1', 'o', 'yours'), outhash('t3', 'o')],
      });
      const to = await fill(await newTo(), { ...mine, unihashes: [...mine.unihashes, unihash('t2', 2)] });
      const preview = await copyBetween(from, to, { dryRun: true });
      const reports = await copyBetween(from, to);
      for (const found of [preview, reports]) {
        const { added, equal, differing, named } = found.get('unihashes')!;
        assert.deepEqual({ added, equal, differing }, { added: 1, equal: 0, differing: 2 });
        assert.deepEqual(named, [
          'unihash row m t1: has another unihash there',
          'unihash row m t2: has another gc_mark there',
        ]);
        assert.deepEqual(found.get('outhashes')!.named, ['outhash row m t1 o: has another outhash_siginfo there']);
      }
      assert.deepEqual([preview.get('unihashes')!.checkedBy, reports.get('unihashes')!.checkedBy], [null, 'rows']);
      const content = await contentOf(to);
      assert.deepEqual(content.unihashes, [...mine.unihashes, unihash('t2', 2), unihash('t3', 3)]);
      assert.deepEqual(content.outhashes, [...mine.outhashes, outhash('t3', 'o')]);
    });

    test('gives no value of a package to a second checksum, unless the source has', async () => {
      const twice = [value('b-1-r0', 'one', '7'), value('b-1-r0', 'two', '7')];
      const from = await fill(await newFrom(), { values: [value('a-1-r0', 'theirs', '3'), ...twice] });
      const to = await fill(await newTo(), { values: [value('a-1-r0', 'ours', '3'), twice[0]!] });
      const { added, equal, differing, named } = (await copyBetween(from, to)).get('values')!;
      assert.deepEqual({ added, equal, differing }, { added: 1, equal: 1, differing: 1 });
      assert.deepEqual(named, ['PR row a-1-r0 core2 theirs 3: the value is that of checksum ours there']);
      assert.deepEqual((await contentOf(to)).values, [value('a-1-r0', 'ours', '3'), ...twice]);
    });

    test('that was interrupted goes on when it is started again', async () => {
      const rows = many(50);
      const from = await fill(await newFrom(), { unihashes: rows });
      const to = await newTo();
      const stop = new AbortController();
      const onRows = async () => stop.abort();
      await assert.rejects(copyBetween(from, to, { signal: stop.signal, onRows }), Interrupted);
      const there = (await contentOf(to)).unihashes.length;
      assert.ok(there > 0 && there < rows.length, `${there} rows`);
      const report = (await copyBetween(from, to)).get('unihashes')!;
      assert.deepEqual([report.equal, report.added, report.checkedBy], [there, rows.length - there, 'hash']);
      assert.deepEqual((await contentOf(to)).unihashes, rows);
    });

    test('that loses or changes a row on its way fails', async () => {
      const from = await fill(await newFrom(), { unihashes: many(10) });
      const faults = {
        'lacked 1 rows that had been copied': (rows: readonly Row[]) => rows.slice(1),
        'has 1 rows otherwise': (rows: readonly Row[]) => [...rows.slice(1), unihash('t0', 99)],
      };
      for (const [message, spoil] of Object.entries(faults)) {
        let spoiled = false;
        const around: NonNullable<Parameters<typeof copyBetween>[2]>['around'] = ({ source, target }) => ({
          source,
          target: {
            ...target,
            async add(part, rows) {
              if (spoiled || part !== 'unihashes') return target.add(part, rows);
              spoiled = true;
              await target.add(part, spoil(rows));
              return { stored: rows.length, refused: [] };
            },
          },
        });
        await assert.rejects(copyBetween(from, await newTo(), { around }), new RegExp(message));
      }
    });

    test('has a siginfo of 16 MiB in it', async () => {
      const long = 's'.repeat(16 * 1024 * 1024 - 1);
      const from = await fill(await newFrom(), { outhashes: [outhash('t1', 'o', long), outhash('t2', 'o')] });
      const to = await newTo();
      assert.equal((await copyBetween(from, to)).get('outhashes')!.checkedBy, 'hash');
    });
  });
}

describe('rows that a target cannot hold', () => {
  const good = outhash('good', 'o');
  const bad: Record<string, [Row, RegExp]> = {
    'a NUL': [outhash('t\0k', 'o', 'x'), /outhash row m t\0k o: taskhash holds a NUL character, which PostgreSQL/],
    'a time that is none': [
      good.with(1, 'never').with(3, 'yesterday'),
      /m never o: created is no time in UTC: yesterday/,
    ],
    'a hash that is too long for an index': [
      good.with(1, randomBytes(5000).toString('hex')),
      /too long for an index of the database/,
    ],
  };
  for (const [what, [row, message]] of Object.entries(bad)) {
    test(`${what}: ends the copy and is named, or is left out`, async () => {
      const rows = [outhash('first', 'o'), row, good];
      const from = await fill(await newFile(), { outhashes: rows });
      const to = await newDatabase();
      await assert.rejects(copyBetween(from, to), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /--skip-unstorable/);
        return true;
      });
      const report = (await copyBetween(from, to, { skipUnstorable: true })).get('outhashes')!;
      assert.deepEqual([report.leftOut, report.checkedBy], [1, 'rows']);
      assert.match(report.named.join('\n'), message);
      assert.deepEqual((await contentOf(to)).outhashes, [outhash('first', 'o'), good]);
      // A file can hold it.
      const file = await newFile();
      await copyBetween(from, file);
      assert.deepEqual((await contentOf(file)).outhashes, rows);
    });
  }

  test('what is no text in a file of another program is named, or left out', async () => {
    const from = await fill(await newFile(), { unihashes: many(3) });
    await withSqlite(from, (run) => run("UPDATE unihashes_v3 SET unihash = x'00ff41' WHERE taskhash = 't0'"));
    await withSqlite(from, (run) =>
      run("UPDATE unihashes_v3 SET gc_mark = CAST(x'ff41' AS TEXT) WHERE taskhash = 't2'"),
    );
    for (const newTo of [newFile, newDatabase]) {
      const to = await newTo();
      await assert.rejects(copyBetween(from, to), /m t0: unihash is a blob, not a text\n.*m t2: gc_mark is not UTF-8/);
      const report = (await copyBetween(from, to, { skipUnstorable: true })).get('unihashes')!;
      assert.deepEqual([report.added, report.leftOut], [1, 2]);
      assert.deepEqual((await contentOf(to)).unihashes, [many(3)[1]]);
    }
  });

  test('a PR value that is NULL is copied between files, once', async () => {
    const rows = [value('a-1-r0', 'c', '1'), ['a-1-r0', 'core2', 'd', null] as Row];
    const from = await fill(await newFile(), { values: rows });
    const to = await newFile();
    await copyBetween(from, to);
    const again = (await copyBetween(from, to)).get('values')!;
    assert.deepEqual([again.added, again.equal], [0, 2]);
    assert.deepEqual((await contentOf(to)).values, rows);
    await assert.rejects(copyBetween(from, await newDatabase()), /PR row a-1-r0 core2 d NULL: value is missing/);
  });
});

describe('a target that somebody has open', () => {
  for (const [name, newTo] of [
    ['SQLite', newFile],
    ['PostgreSQL', newDatabase],
  ] as const) {
    test(`${name}: is refused, unless that is asked for`, async () => {
      const from = await fill(await newFile(), { unihashes: many(3) });
      const to = await newTo();
      const options = { services: new Set(['hashserv'] as const), inUse: false, dryRun: false, log: SILENT };
      const other = await openDatabaseTarget(to, options);
      try {
        await assert.rejects(copyBetween(from, to), /stop (it|them) first.*--in-use/s);
        assert.equal((await copyBetween(from, to, { dryRun: true })).get('unihashes')!.added, 3);
        assert.equal((await copyBetween(from, to, { inUse: true })).get('unihashes')!.added, 3);
      } finally {
        await other.close();
      }
      assert.equal((await copyBetween(from, to)).get('unihashes')!.equal, 3);
    });
  }

  test('the same file, by another name, is no target', async () => {
    const from = await fill(await newFile(), { unihashes: many(3) });
    await assert.rejects(copyBetween(from, path.join(path.dirname(from), '.', path.basename(from))), /stop it first/);
  });
});

describe('a dry run', () => {
  test('writes nothing, and makes no file', async () => {
    const from = await fill(await newFile(), { unihashes: many(3) });
    const to = await newFile();
    assert.equal((await copyBetween(from, to, { dryRun: true })).get('unihashes')!.added, 3);
    await assert.rejects(openDatabaseSource(to, SILENT), /no database at/);
  });
});

test('a file of an older server is refused with what to do', async () => {
  const file = await newFile();
  await withSqlite(file, (run) => run('CREATE TABLE unihashes_v2 (id INTEGER PRIMARY KEY, method TEXT)'));
  await assert.rejects(
    openDatabaseSource(file, SILENT),
    /older server \(it has a table unihashes_v2\): start a server/,
  );
});
