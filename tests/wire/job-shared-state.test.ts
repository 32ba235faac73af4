import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, METHOD, refusal, serve, temporaryFolder } from './helpers.ts';
import { runJob } from './job-helpers.ts';

const PN = '<script>\u202e';

describe('the job shared-state', () => {
  test('compares with the folder that the server is told of, and its last result is an insight', async (t) => {
    const folder = temporaryFolder(t);
    const long = new Date('2020-01-01');
    for (const n of [1, 9]) {
      const file = path.join(folder, `sstate:zlib:a:1:r0:a:12:${hash(n)}_package.tar.zst`);
      fs.writeFileSync(file, 'object');
      fs.utimesSync(file, long, long);
    }
    const server = await serve(t, { flags: { 'sstate-dir': folder } });
    const client = server.connect();
    const columns = ['method', 'taskhash', 'unihash'];
    await client.ask('import-rows', {
      table: 'unihashes',
      columns,
      rows: [1, 2].map((n) => [METHOD, `t${n}`, hash(n)]),
    });
    const report = { method: METHOD, taskhash: 't3', outhash: 'o3', unihash: hash(3), PN, task: 'do_package' };
    await client.ask('report', report);
    assert.equal(await client.ask('insight-shared-state', {}), null);
    const { rows } = (await client.ask('export-tasks', { after: 0 })) as { rows: Json[][] };
    assert.deepEqual([rows.length, rows[2]![0], rows[2]![2]], [3, hash(3), PN], 'a name is told as it was reported');

    const job = await runJob(server.app, 'shared-state', {});
    assert.equal(job.state, 'done', String(job.error));
    const { place, missing, recent } = job.result as { [key: string]: Json };
    assert.deepEqual(
      [place, missing, recent],
      [folder, 1, 1],
      'a report of this moment may have its object on the way',
    );

    const found = (await client.ask('insight-shared-state', { limit: 1 })) as { [key: string]: Json };
    assert.deepEqual(
      [found.unihashes, found.present, found.missing, found.recent, found.orphans, found.more],
      [3, 1, 1, 1, 1, 1],
    );
    assert.equal(found.place, undefined, 'where it is on the machine is not for everybody who may read');
    assert.doesNotMatch(JSON.stringify(found), new RegExp(folder));
    const [first] = found.recipes as { PN: string | null; missing: number }[];
    assert.deepEqual([first!.PN, first!.missing], [null, 1]);
  });

  test('does not tell those who may only read what became of the mirror', async (t) => {
    const mirror = http.createServer((_, answer) => answer.writeHead(429, { 'retry-after': '3600' }).end());
    await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
    t.after(() => mirror.close());
    const { port } = mirror.address() as AddressInfo;
    const server = await serve(t, { flags: { 'sstate-mirror': `http://anna:secret@127.0.0.1:${port}/sstate` } });
    const client = server.connect();
    const names = { PN: 'zlib', PV: '1', PR: 'r0', task: 'do_package' };
    for (let n = 1; n <= 8; n++)
      await client.ask('report', { method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n), ...names });
    const { state, result } = await runJob(server.app, 'shared-state', {});
    assert.equal(state, 'done');
    assert.match(JSON.stringify(result), /answers with status 429/);
    assert.doesNotMatch(JSON.stringify(result), /secret|anna/);
    const found = JSON.stringify(await client.ask('insight-shared-state', {}));
    assert.match(found, /the job says how/);
    assert.doesNotMatch(found, /429|127\.0\.0\.1|secret|anna/);
  });

  test('is refused where the server is told of no shared state', async (t) => {
    const client = (await serve(t)).connect();
    assert.match(
      refusal(await client.ask('job-start', { kind: 'shared-state' })),
      /the server is told of none \(--sstate-dir, --sstate-mirror\)/,
    );
  });

  test('fails with the reason where the folder cannot be read', async (t) => {
    const gone = path.join(temporaryFolder(t), 'gone');
    const server = await serve(t, { flags: { 'sstate-dir': gone } });
    const client = server.connect();
    const job = await runJob(server.app, 'shared-state', {});
    assert.equal(job.state, 'failed');
    assert.match(String(job.error), /cannot read the shared-state folder .*gone: no such file or directory/);
    assert.equal(await client.ask('insight-shared-state', {}), null);
  });
});
