import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import type { JobRun, Slice } from '../../lib/jobs/kind.ts';
import { hash, METHOD, refusal, serve, temporaryFolder } from './helpers.ts';
import { runJob as run } from './job-helpers.ts';

const report = (n: number) => ({ method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n), PN: `p${n}` });
const pr = (n: number) => ({ version: `p${n}-1-r0`, pkgarch: 'core2', checksum: `c${n}`, value: String(n) });

describe('jobs from and to files', () => {
  test('carry every hash row over, and may be repeated', async (t) => {
    const file = path.join(temporaryFolder(t), 'hashes.jsonl');
    const [from, to] = [await serve(t), await serve(t)];
    const client = from.connect();
    for (let n = 1; n <= 5; n++) await client.ask('report', report(n));
    assert.deepEqual((await run(from.app, 'export-hashes', { file })).result, { exported: 10 });
    assert.deepEqual((await run(to.app, 'import-hashes', { file })).result, { stored: 10, present: 0, refused: 0 });
    assert.deepEqual((await run(to.app, 'import-hashes', { file })).result, { stored: 0, present: 10, refused: 0 });
    const copy = `${file}.copy.jsonl`;
    await run(to.app, 'export-hashes', { file: copy });
    assert.equal(fs.readFileSync(copy, 'utf8'), fs.readFileSync(file, 'utf8'));
    fs.appendFileSync(file, '{"table": "unihashes", "method": "m", "taskhash": "t", "unihash": "short"}\n');
    const job = await run(to.app, 'import-hashes', { file });
    assert.deepEqual(job.result, { stored: 0, present: 10, refused: 1 });
    assert.match(job.log.join('\n'), /line 11 refused: unihash is not 64 lower-case hex digits/);
  });

  test('carry every PR row over; a wrong row is found before any is stored', async (t) => {
    const file = path.join(temporaryFolder(t), 'prs.jsonl');
    const [from, to] = [await serve(t), await serve(t)];
    const client = from.connect('PRSERVICE 1.0');
    for (let n = 1; n <= 5; n++) await client.ask('import-one', pr(n));
    assert.deepEqual((await run(from.app, 'export-prs', { file })).result, { exported: 5 });
    assert.deepEqual((await run(to.app, 'import-prs', { file })).result, { stored: 5, present: 0 });
    assert.deepEqual((await run(to.app, 'import-prs', { file })).result, { stored: 0, present: 5 });
    fs.writeFileSync(file, `${JSON.stringify(pr(7))}\n${JSON.stringify({ ...pr(8), value: 'many' })}\n`);
    const job = await run(to.app, 'import-prs', { file });
    assert.equal(job.state, 'failed');
    assert.match(job.error!, /prs\.jsonl, line 2: value must be/);
    const prs = to.connect('PRSERVICE 1.0');
    assert.deepEqual(await prs.ask('test-package', { version: 'p7-1-r0', pkgarch: 'core2' }), { value: false });
  });

  test('fail where a file is not there, and the server goes on', async (t) => {
    const { app } = await serve(t);
    const folder = temporaryFolder(t);
    for (const name of ['rows.jsonl', 'rows.csv', 'rows.json', 'rows.inc']) {
      const file = path.join(folder, name);
      const job = await run(app, 'import-prs', { file });
      assert.deepEqual([job.state, job.error], ['failed', `cannot read ${file}: no such file or directory`]);
    }
    const file = path.join(folder, 'hashes.jsonl');
    const job = await run(app, 'import-hashes', { file });
    assert.deepEqual([job.state, job.error], ['failed', `cannot read ${file}: no such file or directory`]);
  });

  test('never touch a database of this server, by whatever name, nor a file of another folder than named', async (t) => {
    const { app, folder } = await serve(t);
    const link = path.join(temporaryFolder(t), 'link.jsonl');
    fs.linkSync(path.join(folder, 'hashserv.db'), link);
    for (const file of [
      `${folder}/hashserv.db`,
      `${folder}/./hashserv.db-wal`,
      `${folder}/prserv.sqlite3`,
      `${folder}/bakeserv-jobs.db`,
      link,
    ])
      for (const kind of ['export-hashes', 'import-hashes', 'export-prs', 'import-prs'])
        await assert.rejects(run(app, kind, { file }), /is a database of this server/, `${kind} ${file}`);
    await assert.rejects(run(app, 'export-hashes', { file: 'here.jsonl' }), /must be a full path/);
  });

  test('are refused to every client', async (t) => {
    const { connect } = await serve(t);
    for (const [client, kinds] of [
      [connect(), ['export-hashes', 'import-hashes']],
      [connect('PRSERVICE 1.0'), ['export-prs', 'import-prs']],
    ] as const)
      for (const kind of kinds)
        assert.match(
          refusal(await client.ask('job-start', { kind, parameters: { file: '/tmp/x.jsonl' } })),
          /only the user that the server runs as/,
        );
  });

  test('go on where they were: an export ends with each row once, an import reads no line again', async (t) => {
    const file = path.join(temporaryFolder(t), 'hashes.jsonl');
    const { app, connect } = await serve(t);
    const client = connect();
    const rows = Array.from({ length: 2500 }, (_, i) => [METHOD, `t${i}`, hash(i)]);
    for (let at = 0; at < rows.length; at += 500)
      await client.ask('import-rows', {
        table: 'unihashes',
        columns: ['method', 'taskhash', 'unihash'],
        rows: rows.slice(at, at + 500),
      });
    const kinds = await app.jobs.kinds();
    const slices = (name: string, from: Json) => {
      const kind = kinds.find((each) => each.name === name)!;
      const job: JobRun<Json> = { id: 1, parameters: { file }, signal: new AbortController().signal, note() {} };
      return kind.run(job, from);
    };
    /** Stops after so many slices; resolves to the last, as a server that ends does. */
    const some = async (name: string, count: number): Promise<Slice> => {
      const steps = slices(name, null);
      let last: Slice | null = null;
      for (let i = 0; i < count; i++) last = (await steps.next()).value as Slice;
      await steps.return(null);
      return last!;
    };
    const rest = async (name: string, from: Json): Promise<Json> => {
      const steps = slices(name, from);
      for (;;) {
        const step = await steps.next();
        if (step.done) return step.value;
      }
    };
    const stopped = await some('export-hashes', 3);
    assert.equal(fs.existsSync(file), false, 'a half is no file');
    assert.deepEqual(await rest('export-hashes', stopped.position), { exported: 2500 });
    const taskhashes = fs.readFileSync(file, 'utf8').match(/"taskhash": "t\d+"/g)!;
    assert.equal(taskhashes.length, 2500);
    assert.equal(new Set(taskhashes).size, 2500);
    const half = await some('import-hashes', 2);
    assert.deepEqual(await rest('import-hashes', half.position), { stored: 0, present: 2500, refused: 0 });
  });
});
