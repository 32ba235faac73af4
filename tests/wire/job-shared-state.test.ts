import assert from 'node:assert/strict';
import fs from 'node:fs';
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
