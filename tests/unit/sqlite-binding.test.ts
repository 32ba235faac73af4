import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import sqlite3 from 'sqlite3';
import { MAX_STATEMENTS, openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { temporaryFolder } from '../wire/helpers.ts';

test('a statement that does not compile fails its call, and the connection goes on and closes', async (t) => {
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  await assert.rejects(connection.all('SELECT place FROM nowhere'), /no such table: nowhere/);
  await assert.rejects(connection.run('DELETE FROM nowhere'), /no such table: nowhere/);
  await connection.exec('CREATE TABLE nowhere (place)');
  assert.deepEqual(await connection.all('SELECT place FROM nowhere'), []);
  await connection.close();
});

test('of statements of any number few are kept: those used last, and what goes is finalized', async (t) => {
  const prepare = t.mock.method(sqlite3.Database.prototype, 'prepare');
  const finalize = t.mock.method(sqlite3.Statement.prototype, 'finalize');
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  const odd = 5 * MAX_STATEMENTS;
  for (let i = 0; i < odd; i++) {
    assert.deepEqual(await connection.all('SELECT ? AS n', [i]), [{ n: i }]);
    assert.deepEqual(await connection.all(`SELECT ? AS n${i}`, [i]), [{ [`n${i}`]: i }]);
  }
  assert.equal(prepare.mock.callCount(), 1 + odd, 'the one that is used again and again stays');
  assert.equal(finalize.mock.callCount(), 1 + odd - MAX_STATEMENTS);
  assert.deepEqual(await connection.all('SELECT ? AS n0', [7]), [{ n0: 7 }], 'one that went is prepared again');
  // It fails when a statement is left.
  await connection.close();
});

test('statements that do not compile take no place of others', async (t) => {
  const prepare = t.mock.method(sqlite3.Database.prototype, 'prepare');
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  await connection.all('SELECT 1 AS n');
  for (let i = 0; i < 2 * MAX_STATEMENTS; i++) await assert.rejects(connection.all(`SELECT n${i} FROM nowhere`));
  assert.deepEqual(await connection.all('SELECT 1 AS n'), [{ n: 1 }]);
  assert.equal(prepare.mock.callCount(), 1 + 2 * MAX_STATEMENTS);
  await connection.close();
});

test('closing waits for what was asked before, and refuses what is asked after', async (t) => {
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  await connection.exec('CREATE TABLE t (n); INSERT INTO t VALUES (1)');
  const before = Array.from({ length: 20 }, (_, i) => connection.all(`SELECT n + ${i} AS n FROM t`));
  const closing = connection.close();
  const after = Promise.allSettled([
    connection.all('SELECT n FROM t'),
    connection.run('DELETE FROM t'),
    connection.exec(''),
  ]);
  assert.deepEqual(
    await Promise.all(before),
    before.map((_, i) => [{ n: 1 + i }]),
  );
  await closing;
  for (const each of await after)
    assert.match(String(each.status === 'rejected' && each.reason), /the database is closed: .*x\.db/);
});

test('a call that comes while the statements are finalized leaves no statement behind', async (t) => {
  const finalize = sqlite3.Statement.prototype.finalize;
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  await connection.all('SELECT 1 AS n');
  const late: Promise<unknown>[] = [];
  t.mock.method(sqlite3.Statement.prototype, 'finalize', function (this: sqlite3.Statement, done: () => void) {
    late.push(connection.all('SELECT 2 AS n').catch((error) => error.code));
    return finalize.call(this, done);
  });
  await connection.close();
  assert.deepEqual(await Promise.all(late), ['storage-closed']);
});
