import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { findOwnDescriptor } from '../../lib/storage/sqlite/file/own-descriptor.ts';
import { noProc } from '../e2e/needs.ts';
import { temporaryFolder } from '../helpers.ts';

/** The locks that processes hold on a file. */
function locksOn(file: string): string[] {
  const { ino } = fs.statSync(file);
  return fs
    .readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`:${ino} `))
    .map((line) => line.replace(/^\d+/, ''));
}

describe('a database file is synced through SQLite’s descriptor', { skip: noProc() }, () => {
  test('and SQLite keeps its locks', async (t) => {
    const file = path.join(temporaryFolder(t), 'some.db');
    const connection = await openBinding(file, 'create');
    await connection.exec('CREATE TABLE t (n); BEGIN EXCLUSIVE');
    const before = { locks: locksOn(file), open: fs.readdirSync('/proc/self/fd').length };
    assert.ok(before.locks.length > 0, 'SQLite holds no lock');
    const own = findOwnDescriptor(file);
    assert.equal(await own.sync(), true);
    assert.equal(await own.sync(), true);
    assert.deepEqual({ locks: locksOn(file), open: fs.readdirSync('/proc/self/fd').length }, before);
    await connection.exec('ROLLBACK');
    await connection.close();
    assert.equal(await own.sync(), false);
  });

  test('of another connection once the first is closed', async (t) => {
    const file = path.join(temporaryFolder(t), 'some.db');
    const first = await openBinding(file, 'create');
    const own = findOwnDescriptor(file);
    assert.equal(await own.sync(), true);
    await first.close();
    // What has its number now is not the file.
    const other = fs.openSync(path.join(path.dirname(file), 'other'), 'w');
    t.after(() => fs.closeSync(other));
    assert.equal(await own.sync(), false);
    const second = await openBinding(file, 'create');
    await second.exec('PRAGMA user_version = 1');
    assert.equal(await own.sync(), true);
    await second.close();
  });

  test('and whatever has its number by then is neither taken for it, nor its errors', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'some.db');
    const connection = await openBinding(file, 'create');
    t.after(() => connection.close());
    for (const fails of [false, true]) {
      const other = fs.statSync(folder);
      let isClosed = false;
      const own = findOwnDescriptor(file, '/proc/self/fd', {
        fstat: async (descriptor) => (isClosed ? other : fs.fstatSync(descriptor)),
        async fdatasync() {
          isClosed = true;
          if (fails) throw Object.assign(new Error('of another file'), { code: 'EIO' });
        },
      });
      assert.equal(await own.sync(), false);
    }
  });

  test('and its own error is told, as the system tells it only once', async (t) => {
    const file = path.join(temporaryFolder(t), 'some.db');
    const connection = await openBinding(file, 'create');
    t.after(() => connection.close());
    const own = findOwnDescriptor(file, '/proc/self/fd', {
      fstat: async (descriptor) => fs.fstatSync(descriptor),
      fdatasync: () => Promise.reject(Object.assign(new Error('bad disk'), { code: 'EIO' })),
    });
    await assert.rejects(own.sync(), /bad disk/);
  });

  test('without the event loop waiting for the system', async (t) => {
    const file = path.join(temporaryFolder(t), 'some.db');
    const connection = await openBinding(file, 'create');
    t.after(() => connection.close());
    const waits = t.mock.method(fs, 'fstatSync', () => assert.fail('it waited'));
    t.mock.method(fs, 'statSync', () => assert.fail('it waited'));
    assert.equal(await findOwnDescriptor(file).sync(), true);
    assert.equal(waits.mock.callCount(), 0);
  });

  test('and not where the system does not list descriptors', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'some.db');
    const connection = await openBinding(file, 'create');
    assert.equal(await findOwnDescriptor(file, path.join(folder, 'proc')).sync(), false);
    await connection.close();
  });
});
