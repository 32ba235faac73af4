import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { type LogFields, SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, serve, TCP } from '../wire/helpers.ts';
import { hash, METHOD, temporaryFolder, withSqlite } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2', checksum: 'c1' };

/** What a server says when it cannot open its databases. */
async function refused(folder: string, flags: Record<string, unknown>): Promise<string> {
  try {
    await (await createApp(configIn(folder, flags), SILENT)).close();
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return error.message;
  }
  return assert.fail('the server started');
}

describe('database files', () => {
  test('both services may share one file, under two names for it as well', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'one.db');
    fs.symlinkSync(folder, path.join(folder, 'link'));
    const flags = { 'hashserv-db': file, 'prserv-db': path.join(folder, 'link', 'one.db') };
    const server = await serve(t, { folder, flags });
    const [hashes, prs] = [server.connect(), server.connect(PRSERV)];
    const report = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };
    for (let i = 0; i < 20; i++) {
      hashes.send(`${JSON.stringify({ report: { ...report, taskhash: `t${i}` } })}\n`);
      prs.send(`${JSON.stringify({ 'get-pr': { ...PKG, checksum: `c${i}` } })}\n`);
    }
    for (let i = 0; i < 20; i++) assert.deepEqual(await prs.message(), { value: String(i) });
    for (let i = 0; i < 20; i++) assert.equal(((await hashes.message()) as { unihash: string }).unihash, hash(1));
    assert.deepEqual(await prs.ask('max-package-pr', PKG), { value: '19' });
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.endsWith('.db')),
      ['one.db'],
    );
  });

  test('an existing file of zero bytes is refused, and begun anew with --init', async (t) => {
    const folder = temporaryFolder(t);
    fs.writeFileSync(path.join(folder, 'prserv.sqlite3'), '');
    assert.match(await refused(folder, {}), /prserv\.sqlite3 is empty.*--init/);
    assert.equal(fs.statSync(path.join(folder, 'prserv.sqlite3')).size, 0);
    const client = (await serve(t, { folder, flags: { init: true } })).connect(PRSERV);
    assert.deepEqual(await client.ask('get-pr', PKG), { value: '0' });
  });

  test('a read-only server without a file, or with an empty one, says so and creates nothing', async (t) => {
    const folder = temporaryFolder(t);
    assert.match(await refused(folder, { 'read-only': true }), /no database at .*hashserv\.db/);
    assert.deepEqual(fs.readdirSync(folder), []);
    fs.writeFileSync(path.join(folder, 'hashserv.db'), '');
    assert.match(await refused(folder, { 'read-only': true, init: false }), /hashserv\.db is empty/);
    assert.deepEqual(fs.readdirSync(folder), ['hashserv.db']);
  });

  test('a read-only server on a database without its tables names the table and adds nothing', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'hashserv.db');
    await withSqlite(file, (run) => run('CREATE TABLE other (x)'));
    const before = fs.readFileSync(file);
    assert.match(
      await refused(folder, { 'read-only': true, prserv: false }),
      /has no hash equivalence table unihashes_v3/,
    );
    assert.deepEqual(fs.readdirSync(folder), ['hashserv.db']);
    assert.deepEqual(fs.readFileSync(file), before);
  });

  test('a folder that is not there, a folder in place of the file, and a file that is no database are refused', async (t) => {
    const folder = temporaryFolder(t);
    const at = (name: string) => ({ 'hashserv-db': path.join(folder, name) });
    assert.match(await refused(folder, at('absent/hash.db')), /the folder of the database does not exist/);
    fs.mkdirSync(path.join(folder, 'folder'));
    assert.match(await refused(folder, at('folder')), /is not a file/);
    fs.writeFileSync(path.join(folder, 'text'), 'this is a text and no database at all\n'.repeat(100));
    assert.match(await refused(folder, at('text')), /not a SQLite database, or is damaged/);
    assert.match(await refused(folder, { ...at('text'), 'read-only': true }), /not a SQLite database, or is damaged/);
  });

  test('a file that was removed while the server runs is noticed: writes are refused, reads go on', async (t) => {
    const folder = temporaryFolder(t);
    let lost: () => void = () => {};
    const noticed = new Promise<void>((resolve) => {
      lost = resolve;
    });
    const log = { ...SILENT, error: (message: string) => void (message.startsWith('database file lost') && lost()) };
    const client = (await serve(t, { folder, log, transport: TCP })).connect(PRSERV);
    await client.ask('get-pr', PKG);
    fs.rmSync(path.join(folder, 'prserv.sqlite3'));
    await noticed;
    const reply = (await client.ask('get-pr', { ...PKG, checksum: 'c2' })) as { 'invoke-error': { message: string } };
    assert.match(reply['invoke-error'].message, /was removed while the server ran/);
    assert.doesNotMatch(reply['invoke-error'].message, /prserv/);
    assert.deepEqual(await client.ask('test-pr', PKG), { value: '0' });
  });

  test('of a failing one a client hears neither the path nor SQLite’s text: those are in the log', async (t) => {
    const folder = temporaryFolder(t);
    const logged: string[] = [];
    const error = (_: string, fields: LogFields = {}) => void logged.push(String(fields.error));
    const log = { ...SILENT, error };
    const server = await serve(t, { folder, log });
    const [messages, stream, plain] = [server.connect(PRSERV), server.dial(), server.dial()];
    stream.send('OEHASHEQUIV 1.1\nbakeserv-errors: tell\n\n');
    const untold = server.connect();
    await messages.ask('ping', {});
    await withSqlite(path.join(folder, 'prserv.sqlite3'), (run) => run('DROP TABLE PRMAIN'));
    await withSqlite(path.join(folder, 'hashserv.db'), (run) => run('DROP TABLE unihashes_v3'));

    const failed = { message: 'the database failed' };
    assert.deepEqual(await messages.ask('max-package-pr', PKG), { 'invoke-error': failed });
    plain.send(`${JSON.stringify({ id: 1, method: 'max-package-pr', params: PKG })}\n`);
    assert.deepEqual(await plain.message(), { id: 1, result: null, error: failed });
    stream.send(`{"get-stream": null}\n${METHOD} t1\n`);
    assert.equal(await stream.message(), 'ok');
    assert.deepEqual(await stream.message(), { 'invoke-error': failed });

    untold.send(`{"get-stream": null}\n${METHOD} t1\n`);
    assert.equal(await untold.message(), 'ok');
    assert.equal(await untold.line(), null);

    assert.equal(logged.length, 4);
    for (const [i, name] of ['prserv.sqlite3', 'prserv.sqlite3', 'hashserv.db', 'hashserv.db'].entries()) {
      assert.match(logged[i]!, /no such table/);
      assert.ok(logged[i]!.includes(path.join(folder, name)), logged[i]);
    }
  });

  test('new files are for their owner and group alone, whatever the umask; old ones keep their rights', async (t) => {
    const folder = temporaryFolder(t);
    const names = ['hashserv.db', 'prserv.sqlite3', 'hashserv.db-wal', 'prserv.sqlite3-wal'];
    const rights = () => names.map((name) => (fs.statSync(path.join(folder, name)).mode & 0o777).toString(8));
    const before = process.umask(0);
    t.after(() => void process.umask(before));
    const server = await serve(t, { folder });
    assert.deepEqual(rights(), ['640', '640', '640', '640']);
    await server.stop();

    fs.chmodSync(path.join(folder, 'hashserv.db'), 0o662);
    const warned: LogFields[] = [];
    const warn = (message: string, fields: LogFields = {}) =>
      void (/may write the database/.test(message) && warned.push(fields));
    const again = await serve(t, { folder, log: { ...SILENT, warn } });
    assert.deepEqual(rights(), ['662', '640', '662', '640']);
    assert.deepEqual(warned, [{ file: path.join(folder, 'hashserv.db') }]);
    await again.stop();
  });

  test('a server whose folder was removed still stops', async (t) => {
    const folder = temporaryFolder(t);
    const app = await createApp(configIn(folder), SILENT);
    fs.rmSync(folder, { recursive: true });
    await app.close();
  });
});
