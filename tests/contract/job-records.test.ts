import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StorageError } from '../../lib/errors.ts';
import { memoryRecords } from '../../lib/jobs/memory-records.ts';
import { type JobArchive, KEPT_JOBS, type NewJob } from '../../lib/jobs/records.ts';
import { jobArchive } from '../../lib/storage/sqlite/jobs/records.ts';
import { temporaryFolder } from '../helpers.ts';

const NEW: NewJob = {
  kind: 'gc',
  parameters: { mark: 'm' },
  access: 'hashserv',
  writes: 'hash.db',
  user: null,
  address: 'unix',
  created: '2026-11-22T00:00:00.000Z',
  state: 'waiting',
  started: null,
  ended: null,
  position: null,
  done: 0,
  total: null,
  result: null,
  error: null,
  resumes: 0,
};

const ALL = { access: null, states: null, before: null, limit: 100 } as const;
const ids = (jobs: readonly { readonly id: number }[]) => jobs.map(({ id }) => id);

const ENGINES: Readonly<Record<string, (folder: string) => JobArchive>> = {
  SQLite: (folder) => jobArchive(path.join(folder, 'jobs.db')),
  memory: () => memoryRecords(),
};

for (const [engine, archiveIn] of Object.entries(ENGINES)) {
  describe(`job records in ${engine}`, () => {
    test('come back as they were stored, with their log', async (t) => {
      const records = await archiveIn(temporaryFolder(t)).open();
      const id = await records.add(NEW);
      assert.deepEqual(await records.find(id), { ...NEW, id });
      const now = { ...NEW, id, state: 'running', position: { after: 7 }, done: 7, total: 9 } as const;
      await records.save(now, ['a line', 'ü "quoted"']);
      assert.deepEqual(await records.find(id), now);
      assert.deepEqual(await records.log(id), ['a line', 'ü "quoted"']);
      assert.equal(await records.find(id + 1), null);
      assert.deepEqual(await records.log(id + 1), []);
      await records.close();
    });

    test('are listed from the newest on, by whose they are and by their state, page by page', async (t) => {
      const records = await archiveIn(temporaryFolder(t)).open();
      const all: number[] = [];
      for (const access of ['hashserv', 'prserv', 'hashserv', 'owner', 'hashserv'] as const)
        all.push(await records.add({ ...NEW, access }));
      const [a, b, c, d, e] = all as [number, number, number, number, number];
      await records.save({ ...NEW, id: c, state: 'done' }, []);
      assert.deepEqual(ids(await records.page(ALL)), [e, d, c, b, a]);
      assert.deepEqual(ids(await records.page({ ...ALL, limit: 2 })), [e, d]);
      assert.deepEqual(ids(await records.page({ ...ALL, limit: 2, before: d })), [c, b]);
      assert.deepEqual(ids(await records.page({ ...ALL, access: 'hashserv' })), [e, c, a]);
      assert.deepEqual(ids(await records.page({ ...ALL, access: 'hashserv', states: ['waiting'] })), [e, a]);
      assert.deepEqual(ids(await records.page({ ...ALL, states: ['done', 'failed'] })), [c]);
      const { result: _, position: __, ...listed } = { ...NEW, id: c, state: 'done' };
      assert.deepEqual(await records.page({ ...ALL, states: ['done'] }), [listed], 'not with what may be long');
      await records.close();
    });
  });
}

describe('job records in a file', () => {
  test('stay after it is closed, and ids go on where they were', async (t) => {
    const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
    assert.equal(archive.exists(), false, 'nothing is made before it is needed');
    let records = await archive.open();
    const [first, second] = [await records.add(NEW), await records.add(NEW)];
    await records.save({ ...NEW, id: first, state: 'done' }, []);
    await records.close();
    assert.equal(archive.exists(), true);
    records = await archive.open();
    assert.deepEqual(ids(await records.unfinished()), [second]);
    assert.equal(await records.add(NEW), second + 1);
    await records.close();
  });

  test('are kept up to the last thousand that have ended; no id comes twice, and what waits is never removed', async (t) => {
    const file = path.join(temporaryFolder(t), 'jobs.db');
    const records = await jobArchive(file).open();
    const waiting = await records.add(NEW);
    const over = { ...NEW, state: 'done' } as const;
    const others = await records.add({ ...over, access: 'owner' });
    let last = waiting;
    for (let i = 0; i < KEPT_JOBS + 5; i++) last = await records.add(over);
    assert.notEqual(await records.find(waiting), null);
    assert.notEqual(await records.find(others), null, 'nobody pushes out what others did');
    assert.equal(await records.find(last - KEPT_JOBS), null);
    assert.notEqual(await records.find(last - KEPT_JOBS + 1), null);
    await records.close();
  });

  test('give no id a second time, also when the newest jobs are gone', async (t) => {
    const file = path.join(temporaryFolder(t), 'jobs.db');
    const records = await jobArchive(file).open();
    await records.add(NEW);
    const last = await records.add(NEW);
    await records.close();
    const { openBinding } = await import('../../lib/storage/sqlite/engine/binding.ts');
    const binding = await openBinding(file, 'write');
    await binding.exec('DELETE FROM jobs');
    await binding.close();
    const again = await jobArchive(file).open();
    assert.equal(await again.add(NEW), last + 1);
    await again.close();
  });

  test('of one server are refused to a second one, and free again when it is gone', async (t) => {
    const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
    const records = await archive.open();
    await records.add(NEW);
    await assert.rejects(archive.open(), (error: StorageError) => {
      assert.equal(error.code, 'storage-busy');
      assert.match(error.clientText, /another server/);
      return true;
    });
    await records.close();
    await (await archive.open()).close();
  });

  test('that is damaged, or somebody else’s, is refused and left as it is', async (t) => {
    const file = path.join(temporaryFolder(t), 'jobs.db');
    fs.writeFileSync(file, 'no database, but long enough to be taken for one'.repeat(100));
    await assert.rejects(jobArchive(file).open(), { code: 'storage-corrupt' });
    assert.match(fs.readFileSync(file, 'utf8'), /^no database/);
    const other = path.join(path.dirname(file), 'other.db');
    const { openBinding } = await import('../../lib/storage/sqlite/engine/binding.ts');
    const binding = await openBinding(other, 'create');
    await binding.exec('CREATE TABLE PRMAIN (a)');
    await binding.close();
    await assert.rejects(jobArchive(other).open(), /is a database of something else/);
  });

  test('of which one is damaged are all read but that one, which is told by its id', async (t) => {
    const file = path.join(temporaryFolder(t), 'jobs.db');
    const first = await jobArchive(file).open();
    const [good, damaged, cut] = [await first.add(NEW), await first.add(NEW), await first.add(NEW)];
    await first.close();
    const { openBinding } = await import('../../lib/storage/sqlite/engine/binding.ts');
    const binding = await openBinding(file, 'write');
    await binding.exec(
      `UPDATE jobs SET record = substr(record, 2) WHERE id = ${damaged}; UPDATE jobs SET log = '[' WHERE id = ${cut}`,
    );
    await binding.close();
    const records = await jobArchive(file).open();
    assert.deepEqual(ids(await records.unfinished()), [good]);
    assert.deepEqual(ids(await records.page(ALL)), [cut, good]);
    await assert.rejects(records.find(damaged), { code: 'storage-corrupt', message: /job 2 cannot be read/ });
    await assert.rejects(records.log(cut), { code: 'storage-corrupt', message: /job 3 cannot be read/ });
    await records.close();
  });

  test('survive a kill in the middle of a write: whatever id was answered is there, and none comes again', async (t) => {
    const file = path.join(temporaryFolder(t), 'jobs.db');
    const script = `
      import { jobArchive } from ${JSON.stringify(new URL('../../lib/storage/sqlite/jobs/records.ts', import.meta.url).href)};
      const records = await jobArchive(${JSON.stringify(file)}).open();
      const job = ${JSON.stringify(NEW)};
      for (;;) {
        const ids = await Promise.all([records.add(job), records.add(job), records.add(job)]);
        await records.save({ ...job, id: ids[0], state: 'running', done: ids[0] }, ['saved']);
        console.log(ids.join(' '));
      }`;
    const answered: number[] = [];
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        cwd: fileURLToPath(new URL('../../', import.meta.url)),
      });
      const gone = once(child, 'close');
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        answered.push(...line.split(' ').map(Number));
        // Killed while the next are under way, not between two.
        if (++lines === 5 + round) child.kill('SIGKILL');
      }
      await gone;
      const records = await jobArchive(file).open();
      for (const id of answered) assert.equal((await records.find(id))?.id, id, `job ${id} was answered`);
      await records.close();
    }
    assert.equal(new Set(answered).size, answered.length, 'no id was given twice');
    assert.deepEqual(
      answered,
      [...answered].sort((a, b) => a - b),
    );
  });
});
