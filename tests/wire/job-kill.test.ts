import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { askAsOwner } from '../../lib/jobs/owner.ts';
import type { Row } from '../../lib/transfer/parts.ts';
import { fill } from '../contract/copy-helpers.ts';
import { crashImage, filesIn, killAt, MOMENT, type Moment, rowsIn } from './crash-helpers.ts';
import { hash, METHOD, serve, temporaryFolder } from './helpers.ts';
import type { OwnedJob } from './job-helpers.ts';

/** Enough for several slices of each kind; garbage collection looks at 5,000 rows in its first. */
const ROWS = 5600;
const AT = '2026-11-21T19:00:00.000000+00:00';
const unihashes = Array.from(
  { length: ROWS },
  (_, i): Row => [...[METHOD, `t${i}`, hash(i % 3000), i % 3 === 0 ? 'keep' : '']],
);
/** Every other one is of a task without a unihash. */
const outhashes = Array.from(
  { length: ROWS / 4 },
  (_, i): Row => [
    ...[METHOD, i % 2 ? `t${i}` : `gone${i}`, `o${i}`, AT, null, `pn${i % 7}`, '1', 'r0', 'do_compile', null],
  ],
);
const values = Array.from({ length: 1200 }, (_, i): Row => [`pn${i % 50}-1-r0`, 'core2', `c${i}`, String(i)]);
/** What another server has: partly the same. */
const theirs = {
  unihashes: unihashes
    .slice(ROWS / 2)
    .map(([method, task, unihash], i): Row => [method!, `${task}${i % 2}`, unihash!, '']),
  outhashes: outhashes.slice(700).map(([method, task, ...rest], i): Row => [method!, `${task}${i % 2}`, ...rest]),
  values: values
    .slice(600)
    .map(([version, arch, checksum, value], i): Row => [version!, arch!, `${checksum}${i % 2}`, value!]),
  config: [['bakeserv-id', 'another-server'] as const],
};

/** A place for each file of a job: those in `out` are part of what it comes to. */
interface Places {
  readonly folder: string;
  readonly out: string;
  readonly given: string;
}

const KINDS: Readonly<Record<string, (places: Places) => Json>> = {
  gc: () => ({ mark: 'keep' }),
  'gc-sweep': () => ({ mark: 'keep' }),
  'gc-mark': () => ({ mark: 'keep', where: { method: METHOD } }),
  'clean-unused': () => ({ max_age_seconds: 0 }),
  'remove-hashes': () => ({ where: { method: METHOD } }),
  'remove-prs': () => ({ version: 'pn7-1-r0' }),
  'export-hashes': ({ out }) => ({ file: `${out}/rows.jsonl` }),
  'import-hashes': ({ given }) => ({ file: `${given}/rows.jsonl` }),
  'export-prs': ({ out }) => ({ file: `${out}/values.jsonl` }),
  'import-prs': ({ given }) => ({ file: `${given}/values.jsonl` }),
  backup: ({ out }) => ({ folder: out }),
  check: ({ folder }) => ({ file: `${folder}/hashserv.db` }),
  copy: ({ out }) => ({ to: `${out}/copy.db` }),
  pull: ({ given }) => ({ source: `${given}/theirs.db`, on_conflict: 'raise' }),
  promote: ({ given }) => ({ source: `${given}/theirs.db`, packages: ['pn3', 'pn5'], on_conflict: 'raise' }),
  'shared-state': () => ({}),
};

const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Makes what every server starts with, and what is given to jobs. */
async function makeTemplate(given: string): Promise<void> {
  const folder = path.join(given, 'template');
  fs.mkdirSync(folder);
  const rows = { unihashes, outhashes, config: [['gc-mark', 'keep']] };
  await fill(`${folder}/hashserv.db`, rows, ['users', 'unihashes', 'outhashes', 'config']);
  await fill(`${folder}/prserv.sqlite3`, { values }, ['values']);
  await fill(`${given}/theirs.db`, theirs);
  const named = theirs.unihashes.map(([method, taskhash, unihash]) => ({
    table: 'unihashes',
    method,
    taskhash,
    unihash,
  }));
  fs.writeFileSync(`${given}/rows.jsonl`, jsonl(named));
  const lines = theirs.values.map(([version, pkgarch, checksum, value]) => ({ version, pkgarch, checksum, value }));
  fs.writeFileSync(`${given}/values.jsonl`, jsonl(lines));
  fs.mkdirSync(`${given}/sstate`);
  fs.writeFileSync(`${given}/sstate/sstate:zlib:a:1:r0:a:12:${hash(1)}_package.tar.zst`, 'object');
}

/** What a job came to, and what is there then. */
interface Outcome {
  readonly job: OwnedJob;
  readonly there: Json;
}

/** Starts a job in a new server, which is killed at some moments; each time the next one goes on with what it left. */
async function run(t: TestContext, given: string, name: string, kills: readonly Moment[]): Promise<Outcome> {
  const folder = temporaryFolder(t);
  const [image, out] = [`${folder}-image`, path.join(folder, 'out')];
  fs.cpSync(path.join(given, 'template'), folder, { recursive: true });
  fs.mkdirSync(out);
  const parameters = KINDS[name]!({ folder, out, given });
  let job: OwnedJob | null = null;
  for (const moment of [...kills, null]) {
    const { app, stop } = await serve(t, { folder, flags: { 'sstate-dir': `${given}/sstate` } });
    const ask = askAsOwner(app.jobs, () => 'me', false);
    const kind = (await app.jobs.kinds()).find((each) => each.name === name)!;
    let killed = false;
    const over = killAt(kind, moment, () => {
      crashImage(folder, image);
      killed = true;
    });
    if (job) await app.jobs.resume();
    else await ask('job-start', { kind: name, parameters });
    const look = async () => {
      job = (await ask('job-show', { id: 1, log: true })) as unknown as OwnedJob;
      return job.state === 'waiting' || job.state === 'running';
    };
    if (await look()) await over;
    while (await look()) await setImmediate();
    await stop();
    if (!killed) break;
    fs.rmSync(folder, { recursive: true });
    fs.renameSync(image, folder);
  }
  const there = {
    hashes: await rowsIn(`${folder}/hashserv.db`),
    values: await rowsIn(`${folder}/prserv.sqlite3`),
    out: await filesIn(out),
  };
  fs.rmSync(folder, { recursive: true });
  return { job: job!, there };
}

/** One that cannot go on says so, and has done all of it or nothing. */
const CANNOT_GO_ON = ['remove-prs'];

describe('a job whose server is killed at any moment, and again while it goes on', () => {
  const cleanUps: (() => void)[] = [];
  let given = '';
  let untouched: Json;
  before(async () => {
    given = temporaryFolder({ after: (fn) => void cleanUps.push(fn) });
    await makeTemplate(given);
    untouched = await rowsIn(`${given}/template/prserv.sqlite3`);
  });
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  for (const name of Object.keys(KINDS))
    test(`${name} leaves what one that was left alone does`, async (t) => {
      const alone = await run(t, given, name, []);
      assert.equal(alone.job.state, 'done', String(alone.job.error));
      const isAsAlone = async (kills: readonly Moment[]) => {
        const { job, there } = await run(t, given, name, kills);
        const told = `${job.error}\n${job.log.join('\n')}`;
        if (CANNOT_GO_ON.includes(name)) {
          assert.equal(job.state, 'interrupted', told);
          assert.match(job.error!, /start it again if it is still wanted/);
          const { values } = there as { values: Json };
          assert.ok(
            [untouched, (alone.there as { values: Json }).values].some((each) => isDeepStrictEqual(values, each)),
          );
        } else {
          assert.equal(job.state, 'done', told);
          assert.deepEqual(there, alone.there);
        }
      };
      const moments = fc.array(MOMENT, { minLength: 1, maxLength: 2 });
      await fc.assert(fc.asyncProperty(moments, isAsAlone), { numRuns: 2, endOnFailure: true });
    });
});
