import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { startServer } from '../../lib/server.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { configIn, temporaryFolder } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

/** What a start in the folder says of databases and listeners; sizes are not compared. */
async function linesOfStart(
  folder: string,
  flags: Record<string, unknown> = {},
  configFile: string | null = null,
): Promise<string[]> {
  const { log, lines } = recordLog();
  const socket = `unix://${path.join(folder, 's')}`;
  const config = { ...configIn(folder, { bind: [socket], ...flags }), configFile };
  const server = await startServer(config, log);
  await server.close();
  return lines
    .filter((line) => / database | listening /.test(line))
    .map((line) => line.replaceAll(folder, '.').replace(/bytes=[1-9]\d*/, 'bytes=N'));
}

const NEW_HASH = 'info hash equivalence database created file=./hashserv.db bytes=N sync=immediate';
const OLD_HASH = NEW_HASH.replace('created', 'opened');
const NEW_PR = 'info PR database created file=./prserv.sqlite3 bytes=N sync=immediate';
const OLD_PR = NEW_PR.replace('created', 'opened');
const LISTENING =
  'info listening on unix://./s: hash equivalence read-write, without a login @read,@report,@db-admin; PR values read-write for everybody, removing too';

describe('a start says', () => {
  test('of each database whether it was there, where, its size and sync mode, and every listener', async (t) => {
    const folder = temporaryFolder(t);
    assert.deepEqual(await linesOfStart(folder), [NEW_HASH, NEW_PR, LISTENING]);
    assert.deepEqual(await linesOfStart(folder, { 'prserv-sync-mode': 'periodic:2.5' }), [
      OLD_HASH,
      OLD_PR.replace('immediate', 'periodic:2.5'),
      LISTENING,
    ]);
    assert.deepEqual(await linesOfStart(folder, { 'read-only': true }), [
      OLD_HASH.replace('immediate', 'read-only'),
      OLD_PR.replace('immediate', 'read-only'),
      'info listening on unix://./s: hash equivalence read-only, without a login @read,@report,@db-admin; PR values read-only for everybody',
    ]);
  });

  test('the real port where 0 was asked for', async (t) => {
    const folder = temporaryFolder(t);
    const { log, lines } = recordLog();
    const server = await startServer(configIn(folder, { bind: ['127.0.0.1:0', '127.0.0.1:0'] }), log);
    t.after(() => server.close());
    assert.deepEqual(
      lines.filter((line) => /listening/.test(line)).map((line) => line.replace(/: hash .*/, '')),
      server.listeners.map(({ address }) => `info listening on ${formatAddress(address)}`),
    );
    assert.equal(server.listeners.length, 2);
  });

  test('of each listener what its clients may do', async (t) => {
    const folder = temporaryFolder(t);
    const { log, lines } = recordLog();
    const bind = [
      `unix://${folder}/a,services=hashserv,anon-perms=@none`,
      `unix://${folder}/b,services=prserv,read-only`,
      `unix://${folder}/c,read-only,pr=none`,
      ':0,pr=read-only',
      ':0',
    ];
    const server = await startServer(configIn(folder, { bind }), log);
    await server.close();
    const said = lines.filter((line) => line.startsWith('info listening on'));
    assert.deepEqual(
      said.map((line) => line.replace(/^.*?:(\/\/\S+|\d+): /, '')),
      [
        'hash equivalence read-write, without a login nothing',
        'PR values read-only for everybody',
        'hash equivalence read-only, without a login @read,@report,@db-admin; PR values refused',
        'hash equivalence read-write, without a login @read,@report; PR values read-only for everybody',
        'hash equivalence read-write, without a login @read,@report; PR values read-write for everybody, removing refused',
      ],
    );
  });

  test('of one file for both services that it is one', async (t) => {
    const folder = temporaryFolder(t);
    const flags = { 'prserv-db': path.join(folder, 'hashserv.db') };
    const line = NEW_HASH.replace('equivalence', 'equivalence and PR');
    assert.deepEqual(await linesOfStart(folder, flags), [line, LISTENING]);
    assert.deepEqual(await linesOfStart(folder, flags), [line.replace('created', 'opened'), LISTENING]);
  });
});

describe('a database that is created is a warning with its path', () => {
  test('where that of the other service was there: PR', async (t) => {
    const folder = temporaryFolder(t);
    await linesOfStart(folder);
    const mistyped = path.join(folder, 'prsrev.sqlite3');
    assert.deepEqual(await linesOfStart(folder, { 'prserv-db': mistyped }), [
      OLD_HASH,
      NEW_PR.replace('prserv.', 'prsrev.'),
      'warn a new PR database was created although the hash equivalence database was there already: every PR starts again; if its path is wrong, stop the server and correct --prserv-db file=./prsrev.sqlite3 other=./hashserv.db',
      LISTENING,
    ]);
  });

  test('where that of the other service was there: hash equivalence, which is opened first', async (t) => {
    const folder = temporaryFolder(t);
    await linesOfStart(folder, { hashserv: false });
    assert.deepEqual(await linesOfStart(folder), [
      NEW_HASH,
      'warn a new hash equivalence database was created although the PR database was there already: no task is known; if its path is wrong, stop the server and correct --hashserv-db file=./hashserv.db other=./prserv.sqlite3',
      OLD_PR,
      LISTENING,
    ]);
  });

  test('where the other was there, also in the place of an empty file', async (t) => {
    const folder = temporaryFolder(t);
    await linesOfStart(folder);
    fs.rmSync(path.join(folder, 'prserv.sqlite3'));
    fs.writeFileSync(path.join(folder, 'prserv.sqlite3'), '');
    const lines = await linesOfStart(folder, { init: true });
    assert.deepEqual(lines.slice(0, 2), [OLD_HASH, NEW_PR]);
    assert.match(lines[2]!, /^warn a new PR database was created/);
  });

  test('where there is a configuration file', async (t) => {
    const folder = temporaryFolder(t);
    const warned = await linesOfStart(folder, {}, '/etc/b.yaml');
    assert.deepEqual(
      warned.filter((line) => line.startsWith('warn')),
      [
        'warn a new hash equivalence database was created although there is a configuration file: no task is known; if its path is wrong, stop the server and correct --hashserv-db file=./hashserv.db config=/etc/b.yaml',
        'warn a new PR database was created although there is a configuration file: every PR starts again; if its path is wrong, stop the server and correct --prserv-db file=./prserv.sqlite3 config=/etc/b.yaml',
      ],
    );
    assert.deepEqual(await linesOfStart(folder, {}, '/etc/b.yaml'), [OLD_HASH, OLD_PR, LISTENING]);
  });

  const CREATED_IN = NEW_PR.replace('created', 'created in a file that was there').replace(
    'prserv.sqlite3',
    'hashserv.db',
  );
  const warning = (although: string) =>
    `warn a new PR database was created although ${although}: every PR starts again; if its path is wrong, stop the server and correct --prserv-db file=./hashserv.db`;

  test('in the file of the other service', async (t) => {
    const folder = temporaryFolder(t);
    await linesOfStart(folder, { prserv: false });
    const mistyped = { 'prserv-db': path.join(folder, 'hashserv.db') };
    assert.deepEqual(await linesOfStart(folder, mistyped), [
      OLD_HASH,
      CREATED_IN,
      `${warning('the hash equivalence database was there already')} other=./hashserv.db`,
      LISTENING,
    ]);
    const both = OLD_HASH.replace('equivalence', 'equivalence and PR');
    assert.deepEqual(await linesOfStart(folder, mistyped), [both, LISTENING]);
  });

  test('in the file of a service that does not run', async (t) => {
    const folder = temporaryFolder(t);
    await linesOfStart(folder, { prserv: false });
    const lines = await linesOfStart(folder, { hashserv: false, 'prserv-db': path.join(folder, 'hashserv.db') });
    const listening = LISTENING.replace(/hash equivalence .*; /, '');
    assert.deepEqual(lines, [CREATED_IN, warning('its file holds something else'), listening]);
  });

  test('but not where an older server kept it in other tables', async (t) => {
    const old: Readonly<Record<string, string>> = {
      'hashserv.db': 'CREATE TABLE unihashes_v2 (id INTEGER PRIMARY KEY, method TEXT, taskhash TEXT, unihash TEXT)',
      'prserv.sqlite3': 'CREATE TABLE PRMAIN_nohist (version TEXT, pkgarch TEXT, checksum TEXT, value INTEGER)',
    };
    const folder = temporaryFolder(t);
    for (const [name, table] of Object.entries(old)) {
      const connection = await openBinding(path.join(folder, name), 'create');
      await connection.exec(table);
      await connection.close();
    }
    assert.deepEqual(await linesOfStart(folder), [OLD_HASH, OLD_PR, LISTENING]);
  });
});
