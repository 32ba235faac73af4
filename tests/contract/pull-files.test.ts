import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SILENT } from '../../lib/log.ts';
import { FORMATS } from '../../lib/prserv/files/formats.ts';
import { openHashExport } from '../../lib/pull/files/hash-export.ts';
import type { PullParameters } from '../../lib/pull/parameters.ts';
import type { PullSlice } from '../../lib/pull/source.ts';
import { openDatabaseSource } from '../../lib/server.ts';
import { openTaskIndex } from '../../lib/storage/sqlite/hash/task-index.ts';
import { cannotMount } from '../e2e/needs.ts';
import { fill } from './copy-helpers.ts';
import { hash, METHOD, type Running, temporaryFolder, withSqlite } from './helpers.ts';
import {
  type Contents,
  contentOf,
  openFileTarget,
  type PullTarget,
  runPull,
  writeHashExport,
  writePrExport,
} from './pull-source-helpers.ts';

const AT = '2026-11-21T12:00:00.000000+00:00';
const numbers = Array.from({ length: 40 }, (_, n) => n);
const CONTENTS: Contents = {
  unihashes: numbers.map((n) => [METHOD, hash(n), hash(n + 100), '']),
  outhashes: numbers.map((n) => [METHOD, hash(n), hash(n + 200), AT, null, 'busybox', '1.0', 'r0', 'do_x', null]),
  values: numbers.map((n) => ['busybox-1.36-r0', 'core2-64', `sum${n}`, String(n + 10)]),
};
const EMPTY = { unihashes: [], outhashes: [], values: [] };

async function openTarget(t: Running): Promise<PullTarget & { readonly folder: string }> {
  const folder = temporaryFolder(t);
  const target = await openFileTarget(path.join(folder, 'target.db'));
  t.after(() => target.close());
  return { ...target, folder };
}

/** A pull that must fail, and store nothing. */
async function refused(target: PullTarget, parameters: PullParameters, message: RegExp): Promise<void> {
  await assert.rejects(runPull(target, parameters), message);
  assert.deepEqual(await contentOf(target), EMPTY);
}

describe('a file to pull from', () => {
  for (const format of FORMATS)
    test(`that is an export of PR values cut off anywhere (${format}) is refused, and no value of it is stored`, async (t) => {
      const target = await openTarget(t);
      const file = await writePrExport(target.folder, format, CONTENTS);
      const whole = fs.readFileSync(file);
      // In the first row, in the middle, and in the last character of the last row.
      const row = whole.indexOf('sum0') + 2;
      for (const size of [row, whole.indexOf('sum20') + 3, whole.lastIndexOf('49') + 1]) {
        fs.writeFileSync(file, whole.subarray(0, size));
        await refused(target, { source: file }, /values\.\w+(, (line|row) \d+: | has no end).*export it again/);
      }
      fs.writeFileSync(file, whole);
      await runPull(target, { source: file });
      assert.equal((await contentOf(target)).values!.length, 40);
    });

  test('that is an export of hashes cut off in a row names that row; what comes before it does no harm', async (t) => {
    const target = await openTarget(t);
    const file = await writeHashExport(path.join(target.folder, 'hashes.jsonl'), CONTENTS);
    const whole = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, whole.slice(0, -20));
    await assert.rejects(runPull(target, { source: file }), /hashes\.jsonl, line 80: not JSON.*export it again/);
    fs.writeFileSync(file, whole);
    await runPull(target, { source: file });
    assert.equal((await contentOf(target)).unihashes!.length, 40);
  });

  test('that is an export of hashes is read on from any place, as after a kill', async (t) => {
    const { folder } = await openTarget(t);
    const file = await writeHashExport(path.join(folder, 'hashes.jsonl'), CONTENTS);
    const source = openHashExport(file, openTaskIndex, new AbortController().signal);
    t.after(() => source.close());
    const limits = { rows: 7, bytes: 1 << 20 };
    for (const table of ['unihashes', 'outhashes'] as const) {
      const slices: { readonly at: string | null; readonly rows: PullSlice['rows'] }[] = [];
      for (let at: string | null = null; ; ) {
        const slice: PullSlice = await source.slice(table, at, limits);
        slices.push({ at, rows: slice.rows });
        if (slice.next === null) break;
        at = slice.next;
      }
      assert.deepEqual(
        slices.flatMap(({ rows }) => rows.map((row) => row[1])),
        numbers.map(hash),
      );
      for (const { at, rows } of slices.reverse()) assert.deepEqual((await source.slice(table, at, limits)).rows, rows);
    }
  });

  test('that is no database and no export is refused with what it is', async (t) => {
    const target = await openTarget(t);
    const write = (name: string, content: string | Buffer) => {
      const file = path.join(target.folder, name);
      fs.writeFileSync(file, content);
      return file;
    };
    const folder = path.join(target.folder, 'empty');
    fs.mkdirSync(folder);
    const socket = path.join(target.folder, 's');
    const listener = net.createServer().listen(socket);
    t.after(() => void listener.close());
    await new Promise((resolve) => listener.once('listening', resolve));
    for (const [source, message] of [
      [write('empty.db', ''), /empty\.db is empty \(0 bytes\)/],
      [write('noise', randomBytes(5000)), /noise is neither a database nor an export/],
      [write('prose.txt', 'Dear reader,\nthis is no export.\n'), /prose\.txt is neither a database nor an export/],
      [write('packed.jsonl.gz', gzipSync('{}')), /is compressed: unpack it first \(gunzip\)/],
      [write('latin.csv', Buffer.from('\xe4\xf6\xfc', 'latin1')), /neither a database nor an export/],
      [write('wrong.inc', 'nothing of PR values\n'), /wrong\.inc, line 1: not a line of a PR dump/],
      [path.join(target.folder, 'none.db'), /cannot look at .*none\.db: no such file or directory/],
      [folder, /there is no database of a server in the folder/],
      [socket, /is a socket: the server behind it is named unix:\/\//],
      ['/dev/null', /\/dev\/null is neither a file nor a folder/],
    ] as const)
      await refused(target, { source }, message);
  });

  test('that is a database of something else, of a newer server, or damaged is refused', async (t) => {
    const target = await openTarget(t);
    const made = async (name: string, sql: string) => {
      const file = path.join(target.folder, name);
      await withSqlite(file, (run) => run(sql));
      return file;
    };
    const cut = await fill(path.join(target.folder, 'cut.db'), CONTENTS);
    await withSqlite(cut, (run) => run('PRAGMA journal_mode = DELETE'));
    fs.truncateSync(cut, fs.statSync(cut).size - 3 * 4096);
    for (const [source, message] of [
      [await made('other.db', 'CREATE TABLE films (name)'), /other\.db is a database, but has no tables of a server/],
      [await made('newer.db', 'CREATE TABLE unihashes_v4 (x)'), /is of a newer server \(it has a table unihashes_v4\)/],
      [await made('less.db', 'CREATE TABLE PRMAIN (version, pkgarch)'), /PRMAIN has no column checksum, value/],
      [await made('older.db', 'CREATE TABLE tasks_v2 (x)'), /is of an older server.*start a server on it once/],
      [cut, /the database file is damaged: .*cut\.db/],
    ] as const)
      await refused(target, { source }, message);
  });

  test('that is of this server, by whatever path, is refused', async (t) => {
    const target = await openTarget(t);
    await target.prs.importRows([{ version: 'a-1-r0', pkgarch: 'all', checksum: 'c', value: '1' }]);
    const [link, hard] = [path.join(target.folder, 'link.db'), path.join(target.folder, 'hard.db')];
    fs.symlinkSync(target.database, link);
    fs.linkSync(target.database, hard);
    for (const source of [target.database, `${target.database}-wal`, link, hard, target.folder])
      await assert.rejects(runPull(target, { source }), /is a file of this server/);
    assert.equal((await contentOf(target)).values!.length, 1);
  });

  test('that is a copy of the own database, with its id, is another one', async (t) => {
    const target = await openTarget(t);
    await target.hashes.ensureNote('bakeserv-id', 'the same id');
    const copy = path.join(target.folder, 'copy.db');
    await withSqlite(target.database, (run) => run(`VACUUM INTO '${copy}'`));
    await fill(copy, { unihashes: CONTENTS.unihashes });
    await runPull(target, { source: copy, hashes: true });
    assert.equal((await contentOf(target)).unihashes!.length, 40);
  });

  test('of two databases of one service in a folder, none is picked', async (t) => {
    const target = await openTarget(t);
    const folder = path.join(target.folder, 'two');
    fs.mkdirSync(folder);
    for (const name of ['a.db', 'b.db']) await fill(path.join(folder, name), {}, ['values']);
    await refused(target, { source: folder }, /several databases in .* name one: .*a\.db, .*b\.db/);
  });

  test('that another server has open is only read, and has what that has committed', async (t) => {
    const target = await openTarget(t);
    const other = await openFileTarget(path.join(target.folder, 'other.db'));
    t.after(() => other.close());
    await other.hashes.importRows(
      'unihashes',
      CONTENTS.unihashes.map((row) => row.slice(0, 3)),
    );
    const before = fs.readFileSync(other.database);
    await runPull(target, { source: other.database });
    assert.ok(fs.readFileSync(other.database).equals(before));
    assert.equal((await contentOf(target)).unihashes!.length, 40);
    await other.hashes.importRows('unihashes', [[METHOD, hash(999), hash(998)]]);
    await runPull(target, { source: other.database });
    assert.equal((await contentOf(target)).unihashes!.length, 41);
  });

  test('in a folder where nothing can be written is read; if somebody writes meanwhile, that is told', {
    skip: cannotMount(),
  }, async (t) => {
    const target = await openTarget(t);
    const [there, seen] = [path.join(target.folder, 'there'), path.join(target.folder, 'seen')];
    for (const each of [there, seen]) fs.mkdirSync(each);
    const file = await fill(path.join(there, 'x.db'), CONTENTS);
    spawnSync('mount', ['--bind', there, seen]);
    try {
      assert.equal(spawnSync('mount', ['-o', 'remount,bind,ro', seen]).status, 0);
      const source = path.join(seen, 'x.db');
      await runPull(target, { source });
      assert.equal((await contentOf(target)).values!.length, 40);
      const opened = await openDatabaseSource(source, SILENT);
      const first = await opened.slice('unihashes', null, { rows: 10, bytes: 1 << 20 });
      assert.equal(first.rows.length, 10);
      await withSqlite(file, (run) => run('DELETE FROM unihashes_v3'));
      const next = opened.slice('unihashes', first.next, { rows: 10, bytes: 1 << 20 });
      await assert.rejects(next, /x\.db has changed while it was read.*try again when nobody writes to it/);
      await opened.close();
    } finally {
      // Before the folder is removed.
      spawnSync('umount', ['-l', seen]);
    }
  });

  test('named with a password is refused, and the password is in no message', async (t) => {
    const target = await openTarget(t);
    const source = 'postgres://user:very-secret@localhost:1/db';
    await assert.rejects(runPull(target, { source }), (error: Error) => {
      assert.match(error.message, /a password does not belong into the address.*\.pgpass/);
      assert.doesNotMatch(error.message, /very-secret/);
      return true;
    });
  });
});
