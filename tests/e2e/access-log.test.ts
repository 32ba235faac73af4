import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { assertRefused, eventually, report, serve, temporaryFolder } from './helpers.ts';

const read = (file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('--access-log', { concurrency: true }, () => {
  test('is opened again on SIGHUP, also where the settings are wrong, and is whole when the server has stopped', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'access');
    const config = path.join(folder, 'bakeserv.yaml');
    fs.writeFileSync(config, `access-log: ${file}\n`);
    const server = await serve(t, { folder, args: ['--config', config] });
    const client = await server.hash();
    await report(client, 'a');
    await eventually(20_000, async () => assert.equal(read(file).length, 1));
    fs.renameSync(file, `${file}.1`);
    fs.writeFileSync(config, 'access-log: 7\n');
    server.child.kill('SIGHUP');
    await server.logged(/SIGHUP: the settings are wrong/);
    await report(client, 'b');
    await client.invoke('ping', {});
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
    assert.deepEqual(
      read(file).map(({ kind, command }) => [kind, command]),
      [
        ['request', 'report'],
        ['request', 'ping'],
        ['connection', undefined],
      ],
    );
    assert.equal(read(`${file}.1`).length, 1);
  });

  test('on a full disk, or a pipe that nobody reads on, holds up nobody', async (t) => {
    const folder = temporaryFolder(t);
    const full = await serve(t, { folder, args: ['--access-log', '/dev/full'] });
    await report(await full.hash(), 'a');
    await full.logged(/warn: the access log cannot be written: tried again each second error=.*ENOSPC/);
    await report(await full.hash(), 'b');
    assert.deepEqual(await full.stop(), { status: 0, signal: null });
    const pipe = path.join(folder, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const nobody = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const server = await serve(t, { folder, args: ['--access-log', pipe] });
    const client = await server.hash();
    // Much more than a pipe holds.
    for (let i = 0; i < 20; i++) {
      const pings = Array.from({ length: 200 }, () => client.invoke('ping', {}));
      assert.deepEqual(
        new Set((await Promise.all(pings)).map((pong) => JSON.stringify(pong))),
        new Set(['{"alive":true}']),
      );
    }
    await report(client, 'c');
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
    fs.closeSync(nobody);
  });

  test('that cannot be opened is said before anything else is', async (t) => {
    const folder = temporaryFolder(t);
    await assertRefused(
      { folder, args: ['--access-log', path.join(folder, 'no/access')] },
      2,
      /--access-log: cannot write/,
    );
    assert.deepEqual(fs.readdirSync(folder), []);
    const pipe = path.join(folder, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    await assertRefused({ folder, args: ['--access-log', pipe] }, 1, /ENXIO|no such device/);
  });

  test('is on standard output where it is -', async (t) => {
    const server = await serve(t, { folder: temporaryFolder(t), args: ['--access-log', '-'] });
    await report(await server.hash(), 'a');
    await eventually(20_000, async () => assert.match(server.stdout.join('\n'), /"command":"report","result":"ok"/));
  });
});
