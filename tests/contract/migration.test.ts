import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { refusal, serve } from '../wire/helpers.ts';
import { hash, METHOD, type Running, type SqlRunner, temporaryFolder, withSqlite } from './helpers.ts';

/** The hash tables as protocol.md section 5 describes them. */
const HASH_TABLES = [
  'CREATE TABLE unihashes_v3 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT NOT NULL, gc_mark TEXT NOT NULL, UNIQUE(method, taskhash))',
  'CREATE TABLE outhashes_v2 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL, outhash TEXT NOT NULL, created DATETIME, owner TEXT, PN TEXT, PV TEXT, PR TEXT, task TEXT, outhash_siginfo TEXT, UNIQUE(method, taskhash, outhash))',
  'CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, token TEXT NOT NULL, permissions TEXT NOT NULL, UNIQUE(username))',
  'CREATE TABLE config (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, value TEXT, UNIQUE(name))',
  'CREATE INDEX taskhash_lookup_v4 ON unihashes_v3 (method, taskhash)',
  'CREATE INDEX unihash_lookup_v1 ON unihashes_v3 (unihash)',
  'CREATE INDEX outhash_lookup_v3 ON outhashes_v2 (method, outhash)',
  'CREATE INDEX config_lookup ON config(name)',
];

/** What versions before left behind: dropped or moved on opening. */
const OLD_HASH_TABLES = [
  'CREATE TABLE unihashes_v2 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT NOT NULL, UNIQUE(method, taskhash))',
  'CREATE INDEX taskhash_lookup_v3 ON unihashes_v2 (method, taskhash)',
  'CREATE TABLE tasks_v2 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, outhash TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT NOT NULL, created DATETIME, UNIQUE(method, outhash, taskhash))',
  'CREATE INDEX taskhash_lookup ON tasks_v2 (method, taskhash)',
  'CREATE INDEX taskhash_lookup_v2 ON tasks_v2 (method, taskhash)',
  'CREATE INDEX outhash_lookup ON tasks_v2 (method, outhash)',
  'CREATE INDEX outhash_lookup_v2 ON outhashes_v2 (method, outhash)',
];

const PR_TABLE =
  'CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT, PRIMARY KEY (version, pkgarch, checksum, value))';
const OLD_PR_TABLE = (name: string) =>
  `CREATE TABLE ${name} (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum))`;

/** Everything SQLite knows of the schema but for layout, and what is under each name's columns. */
async function schemaOf(file: string): Promise<Json> {
  return withSqlite(file, async (run) => {
    const objects = await run("SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'");
    const described: Json[] = [];
    for (const { type, name, tbl_name } of objects) {
      const pragma = type === 'table' ? 'table_info' : 'index_info';
      const columns = (await run(`SELECT * FROM pragma_${pragma}(?)`, [name!])) as unknown as Json;
      described.push([type, name, tbl_name, columns] as Json[]);
    }
    return described.map((each) => JSON.stringify(each)).sort();
  });
}

async function create(file: string, statements: readonly string[], fill?: (run: SqlRunner) => Promise<void>) {
  await withSqlite(file, async (run) => {
    await run('PRAGMA journal_mode = WAL');
    for (const statement of statements) await run(statement);
    await fill?.(run);
  });
}

/** Talks to a server on the folder's files, and stops it. */
async function during(
  folder: string,
  flags: Record<string, unknown>,
  talk: (server: Awaited<ReturnType<typeof serve>>) => Promise<void>,
): Promise<void> {
  const cleanUps: (() => void | Promise<void>)[] = [];
  try {
    await talk(await serve({ after: (fn) => void cleanUps.push(fn) }, { folder, flags }));
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

const HASH_ONLY = { prserv: false };
const PR_ONLY = { hashserv: false };
const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };

function hashFile(t: Running): { folder: string; file: string } {
  const folder = temporaryFolder(t);
  return { folder, file: path.join(folder, 'hashserv.db') };
}

function prFile(t: Running): { folder: string; file: string } {
  const folder = temporaryFolder(t);
  return { folder, file: path.join(folder, 'prserv.sqlite3') };
}

const OUTHASH = 'INSERT INTO outhashes_v2 (method, taskhash, outhash, created, owner) VALUES (?, ?, ?, ?, ?)';

describe('a hash equivalence database of BitBake’s', () => {
  test('opens in place, answers right, and is of the same schema afterwards', async (t) => {
    const { folder, file } = hashFile(t);
    await create(file, HASH_TABLES, async (run) => {
      await run("INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES (?, 't1', ?, '')", [
        METHOD,
        hash(1),
      ]);
      await run(OUTHASH, [METHOD, 't1', 'o1', '2024-01-01T12:00:00.123456+00:00', 'me']);
      await run("INSERT INTO users (username, token, permissions) VALUES ('u', 'sha256:aa:bb', '@read @report')");
      await run("INSERT INTO config (name, value) VALUES ('gc-mark', NULL)");
    });
    const before = await schemaOf(file);
    await during(folder, HASH_ONLY, async (server) => {
      const client = server.connect();
      const get = { method: METHOD, taskhash: 't1' };
      assert.deepEqual(await client.ask('get', get), { ...get, unihash: hash(1) });
      const row = (await client.ask('get', { ...get, all: true })) as Record<string, Json>;
      assert.equal(row.created, '2024-01-01T12:00:00.123456+00:00');
      assert.equal(row.owner, 'me');
      const report = { ...get, taskhash: 't2', outhash: 'o1', unihash: hash(2) };
      assert.deepEqual(await client.ask('report', report), { ...get, taskhash: 't2', unihash: hash(1) });
      assert.deepEqual(await client.ask('gc-status', {}), { keep: 2, remove: 0, mark: null });
    });
    assert.deepEqual(await schemaOf(file), before);
    const rows = await withSqlite(file, (run) =>
      run('SELECT created, typeof(created) AS type FROM outhashes_v2 ORDER BY id'),
    );
    assert.match(String(rows[1]!.created), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    assert.deepEqual(
      rows.map((row) => row.type),
      ['text', 'text'],
    );
  });

  test('a new database has exactly the schema of BitBake’s, but for an index that repeats another', async (t) => {
    const { folder, file } = hashFile(t);
    await during(folder, HASH_ONLY, async () => {});
    const reference = path.join(folder, 'reference.db');
    await create(
      reference,
      HASH_TABLES.filter((statement) => !statement.includes('taskhash_lookup_v4')),
    );
    assert.deepEqual(await schemaOf(file), await schemaOf(reference));
    const [plan] = await withSqlite(file, (run) =>
      run("EXPLAIN QUERY PLAN SELECT unihash FROM unihashes_v3 WHERE method = 'm' AND taskhash = 't'"),
    );
    assert.match(String(plan!.detail), /^SEARCH .* USING INDEX sqlite_autoindex_unihashes_v3_1 /);
  });

  test('a new database that BitBake’s server has opened, and given that index, is served as before', async (t) => {
    const { folder, file } = hashFile(t);
    const report = (n: number) => ({ method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n) });
    const told = (n: number) => ({ method: METHOD, taskhash: `t${n}`, unihash: hash(n) });
    await during(folder, HASH_ONLY, async (server) => {
      assert.deepEqual(await server.connect().ask('report', report(1)), told(1));
    });
    await withSqlite(file, (run) => run('CREATE INDEX taskhash_lookup_v4 ON unihashes_v3 (method, taskhash)'));
    const before = await schemaOf(file);
    await during(folder, HASH_ONLY, async (server) => {
      const client = server.connect();
      assert.deepEqual(await client.ask('report', report(2)), told(2));
      for (const n of [1, 2]) assert.deepEqual(await client.ask('get', { method: METHOD, taskhash: `t${n}` }), told(n));
    });
    assert.deepEqual(await schemaOf(file), before);
  });

  test('rows of unihashes_v2 move over unmarked, rows of v3 win, and the leftovers of older versions go', async (t) => {
    const { folder, file } = hashFile(t);
    await create(file, [...HASH_TABLES, ...OLD_HASH_TABLES], async (run) => {
      const v2 = 'INSERT INTO unihashes_v2 (method, taskhash, unihash) VALUES (?, ?, ?)';
      await run(v2, [METHOD, 't1', hash(1)]);
      await run(v2, [METHOD, 't2', hash(2)]);
      await run("INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES (?, 't2', ?, 'm')", [
        METHOD,
        hash(3),
      ]);
      await run(OUTHASH, [METHOD, 't1', 'o1', '2020-01-01T00:00:00.000000+00:00', null]);
      await run("INSERT INTO tasks_v2 (method, outhash, taskhash, unihash) VALUES ('m', 'o', 't', 'u')");
    });
    await during(folder, HASH_ONLY, async (server) => {
      const client = server.connect();
      client.send(`{"get-stream": null}\n${METHOD} t1\n${METHOD} t2\nEND\n`);
      for (const line of ['"ok"', hash(1), hash(3), 'ok']) assert.equal(await client.line(), line);
      const row = (await client.ask('get', { method: METHOD, taskhash: 't1', all: true })) as Record<string, Json>;
      assert.equal(row.gc_mark, '');
    });
    const reference = path.join(folder, 'reference.db');
    await create(reference, HASH_TABLES);
    assert.deepEqual(await schemaOf(file), await schemaOf(reference));
  });

  test('the oldest row wins whichever form its created text has', async (t) => {
    const { folder, file } = hashFile(t);
    const [noon, later] = ['2020-01-01T12:00:00.000000+00:00', '2020-01-01 12:00:00.123456'];
    const [blank, latest] = ['2020-01-01 11:59:59.999999', '2020-01-01T12:00:00.500000+00:00'];
    /** For each output its rows in the order they are stored; the second is the oldest. */
    const outputs = { o1: [later, noon, latest], o2: [noon, blank, latest] };
    await create(file, HASH_TABLES, async (run) => {
      const unihash = "INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES (?, ?, ?, '')";
      for (const [outhash, times] of Object.entries(outputs)) {
        for (const [i, created] of times.entries()) {
          await run(unihash, [METHOD, `${outhash}-t${i}`, hash(i)]);
          await run(OUTHASH, [METHOD, `${outhash}-t${i}`, outhash, created, null]);
        }
      }
      await run(OUTHASH, [METHOD, 'gone', 'o3', later, null]);
    });
    await during(folder, HASH_ONLY, async (server) => {
      const client = server.connect();
      for (const [outhash, times] of Object.entries(outputs)) {
        const asked = { method: METHOD, taskhash: `${outhash}-new`, outhash };
        const row = (await client.ask('get-outhash', asked)) as { created: string };
        assert.equal(row.created, times[1]);
        const { unihash } = (await client.ask('report', { ...asked, unihash: hash(9) })) as { unihash: string };
        assert.equal(unihash, hash(1));
      }
      assert.deepEqual(await client.ask('clean-unused', { max_age_seconds: 1 }), { count: 1 });
    });
  });
});

describe('a PR database of BitBake’s', () => {
  test('opens in place, counts on, and is of the same schema afterwards', async (t) => {
    const { folder, file } = prFile(t);
    await create(file, [PR_TABLE], async (run) => {
      for (const n of [8, 9, 10])
        await run('INSERT INTO PRMAIN VALUES (?, ?, ?, ?)', [PKG.version, PKG.pkgarch, `c${n}`, String(n)]);
    });
    const before = await schemaOf(file);
    await during(folder, PR_ONLY, async (server) => {
      const client = server.connect(PRSERV);
      assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '10' });
      assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'new', history: false }), { value: '11' });
      assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'c9', history: false }), { value: '12' });
      assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'c9', history: true }), { value: '9' });
      const { datainfo } = (await client.ask('export', { colinfo: false, history: false })) as { datainfo: Json[] };
      assert.deepEqual(datainfo, [{ ...PKG, checksum: 'c9', value: '12' }]);
    });
    assert.deepEqual(await schemaOf(file), before);
    const types = await withSqlite(file, (run) => run('SELECT DISTINCT typeof(value) AS type FROM PRMAIN'));
    assert.deepEqual(types, [{ type: 'text' }]);
  });

  test('a new database has exactly the schema of BitBake’s', async (t) => {
    const { folder, file } = prFile(t);
    await during(folder, PR_ONLY, async () => {});
    const reference = path.join(folder, 'reference.db');
    await create(reference, [PR_TABLE]);
    assert.deepEqual(await schemaOf(file), await schemaOf(reference));
  });

  for (const table of ['PRMAIN_nohist', 'PRMAIN_hist']) {
    test(`the values of ${table} are carried over at every opening, and the old table stays as it is`, async (t) => {
      const { folder, file } = prFile(t);
      const old = `INSERT INTO ${table} VALUES (?, ?, ?, ?)`;
      await create(file, [OLD_PR_TABLE(table)], async (run) => {
        for (const n of [8, 9, 10]) await run(old, [PKG.version, PKG.pkgarch, `c${n}`, n]);
      });
      const rowsBefore = await withSqlite(file, (run) => run(`SELECT * FROM ${table}`));
      await during(folder, PR_ONLY, async (server) => {
        const client = server.connect(PRSERV);
        assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'new' }), { value: '11' });
        assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'c10', history: true }), { value: '10' });
      });
      assert.deepEqual(await withSqlite(file, (run) => run(`SELECT * FROM ${table}`)), rowsBefore);
      await withSqlite(file, (run) => run(old, [PKG.version, PKG.pkgarch, 'later', 20]));
      await during(folder, PR_ONLY, async (server) => {
        const client = server.connect(PRSERV);
        assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '20' });
        assert.deepEqual(await client.ask('test-pr', { ...PKG, checksum: 'new' }), { value: '11' });
      });
    });
  }

  test('large values of old tables are counted on from, and none is given twice or goes down', async (t) => {
    const { folder, file } = prFile(t);
    const largest = {
      PRMAIN: '999999999999999',
      PRMAIN_nohist: '9223372036854775807',
      PRMAIN_hist: '202401011200',
    };
    const insert = (table: string) => `INSERT INTO ${table} VALUES ('${table}', '${PKG.pkgarch}', 'old', ?)`;
    await create(file, [PR_TABLE, OLD_PR_TABLE('PRMAIN_nohist'), OLD_PR_TABLE('PRMAIN_hist')], async (run) => {
      // As texts: the largest is more than a JavaScript number holds. The column makes integers of them.
      for (const [table, value] of Object.entries(largest)) await run(insert(table), [value]);
    });
    for (let opening = 0n; opening < 3n; opening++) {
      await during(folder, PR_ONLY, async (server) => {
        const client = server.connect(PRSERV);
        for (const [version, value] of Object.entries(largest)) {
          const key = { version, pkgarch: PKG.pkgarch };
          for (let n = 1n; n <= 3n; n++) {
            const next = String(BigInt(value) + 3n * opening + n);
            assert.deepEqual(await client.ask('get-pr', { ...key, checksum: `${opening}-${n}` }), { value: next });
            assert.deepEqual(await client.ask('max-package-pr', key), { value: next });
          }
          assert.deepEqual(await client.ask('get-pr', { ...key, checksum: 'old', history: true }), { value });
        }
      });
    }
  });

  test('a value that nothing can follow is an error that names package and value, and the connection goes on', async (t) => {
    const { folder, file } = prFile(t);
    await create(file, [PR_TABLE], async (run) => {
      await run('INSERT INTO PRMAIN VALUES (?, ?, ?, ?)', [PKG.version, PKG.pkgarch, 'old', '9'.repeat(1024)]);
    });
    for (const flags of [{}, { 'read-only': true }]) {
      await during(folder, { ...PR_ONLY, ...flags }, async (server) => {
        const client = server.connect(PRSERV);
        const asked = await client.ask('get-pr', { ...PKG, checksum: 'new' });
        assert.match(refusal(asked), /^get-pr: the next value of pkg-1-r0 core2 would be 10+… \(1025 characters\)/);
        assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'old' }), { value: '9'.repeat(1024) });
        assert.deepEqual(await client.ask('test-pr', { ...PKG, checksum: 'new' }), { value: null });
      });
    }
  });

  test('rows whose value is no PR value are passed over by every command', async (t) => {
    const { folder, file } = prFile(t);
    await create(file, [PR_TABLE], async (run) => {
      const insert = 'INSERT INTO PRMAIN VALUES (?, ?, ?, ?)';
      for (const value of ['abc', '-5', null, '', '5'.repeat(5000), '1.'])
        await run(insert, [PKG.version, PKG.pkgarch, 'bad', value]);
      await run(insert, [PKG.version, PKG.pkgarch, 'good', '7']);
      await run(insert, ['only-bad', PKG.pkgarch, 'bad', 'abc']);
    });
    await during(folder, PR_ONLY, async (server) => {
      const client = server.connect(PRSERV);
      assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '7' });
      assert.deepEqual(await client.ask('test-pr', { ...PKG, checksum: 'bad' }), { value: null });
      for (const history of [false, true]) {
        const { datainfo } = (await client.ask('export', { history })) as { datainfo: Json[] };
        assert.deepEqual(datainfo, [{ ...PKG, checksum: 'good', value: '7' }]);
      }
      assert.deepEqual(await client.ask('test-package', { ...PKG, version: 'only-bad' }), { value: false });
      assert.deepEqual(await client.ask('get-pr', { ...PKG, checksum: 'bad' }), { value: '8' });
      assert.deepEqual(await client.ask('get-pr', { ...PKG, version: 'only-bad', checksum: 'x' }), { value: '0' });
    });
  });
});
