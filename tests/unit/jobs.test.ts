import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { InvokeError, StorageError } from '../../lib/errors.ts';
import { createJobs, type JobCaller, type LoadedJobs } from '../../lib/jobs/jobs.ts';
import { type JobAccess, type JobKind, parametersOf } from '../../lib/jobs/kind.ts';
import type { JobArchive, JobRecord, NewJob } from '../../lib/jobs/records.ts';
import { type Logger, SILENT } from '../../lib/log.ts';
import { JobFigures } from '../../lib/meter/job-figures.ts';
import { jobArchive } from '../../lib/storage/sqlite/jobs/records.ts';
import { temporaryFolder } from '../helpers.ts';

const caller = (access: JobAccess, more: Partial<JobCaller> = {}): JobCaller => ({
  user: 'anna',
  address: 'unix',
  access,
  readOnly: false,
  ...more,
});
const HASHES = caller('hashserv');
const OWNER = caller('owner');

/** A kind whose slices the test lets go on one by one. */
function steps(name: string, more: Partial<JobKind> = {}) {
  const waiting: (() => void)[] = [];
  const seen: Json[] = [];
  let left = 0;
  const kind: JobKind = {
    name,
    describe: 'Counts',
    parameters: parametersOf({ to: { type: 'integer', minimum: 1 }, text: { type: 'string' } }, ['to']),
    counts: 'numbers',
    resumable: true,
    access: () => 'hashserv',
    writes: () => 'hash.db',
    async *run({ parameters, note, signal }, from) {
      seen.push(from);
      try {
        for (let at = ((from as { at: number } | null)?.at ?? 0) + 1; at <= parameters.to; at++) {
          await new Promise<void>((resolve, reject) => {
            waiting.push(resolve);
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          });
          note(`number ${at}: ${parameters.text ?? ''}`);
          yield { position: { at }, done: at, total: parameters.to, soFar: { counted: at }, save: true };
        }
        return { counted: parameters.to };
      } finally {
        left++;
      }
    },
    ...more,
  };
  return {
    kind,
    seen,
    get left() {
      return left;
    },
    /** Lets a slice go on, once one waits. */
    async next() {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
      waiting.shift()!();
    },
  };
}

function jobsIn(
  archive: JobArchive,
  kinds: readonly JobKind[],
  more: { maxWaiting?: number; figures?: JobFigures; saveAgainMs?: number; log?: Logger } = {},
): LoadedJobs {
  const jobs = createJobs({ archive, workers: 1, maxWaiting: 10, figures: new JobFigures(), log: SILENT, ...more });
  for (const kind of kinds) jobs.register(kind);
  return jobs;
}

type Shown = JobRecord & { progress: { done: number; total: number }; log?: string[]; cancelling?: boolean };
const show = async (jobs: LoadedJobs, id: number, log = false) => (await jobs.show(OWNER, id, log)) as unknown as Shown;

/** Until it has that state. */
async function until(jobs: LoadedJobs, id: number, state: string): Promise<Shown> {
  for (;;) {
    const job = await show(jobs, id, true);
    if (job.state === state) return job;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function open(t: TestContext, kinds: readonly JobKind[], more: Parameters<typeof jobsIn>[2] = {}) {
  const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
  const jobs = jobsIn(archive, kinds, more);
  t.after(() => jobs.close(5000));
  return { archive, jobs };
}

const refused = (pattern: RegExp, kind?: string) => (error: unknown) => {
  assert.ok(error instanceof InvokeError, String(error));
  assert.match(error.message, pattern);
  if (kind) assert.equal(error.kind, kind);
  return true;
};

describe('a job', () => {
  test('runs slice by slice to its result, with its progress and its log', async (t) => {
    const count = steps('count');
    const { jobs } = open(t, [count.kind]);
    const { id, joined } = await jobs.start(HASHES, 'count', { to: 2 });
    assert.equal(joined, false);
    await count.next();
    const running = await until(jobs, id, 'running');
    assert.equal(running.user, 'anna');
    assert.equal(running.progress.total ?? 2, 2);
    await count.next();
    const done = await until(jobs, id, 'done');
    assert.deepEqual(done.result, { counted: 2 });
    assert.equal(done.error, null);
    assert.deepEqual(
      done.log!.map((line) => line.replace(/^\S+ /, '')),
      ['begun', 'number 1: ', 'number 2: ', 'done'],
    );
    assert.equal(count.left, 1);
  });

  test('keeps the last 200 lines of its log, without control characters', async (t) => {
    const chatty = steps('chatty', {
      async *run({ note }) {
        for (let i = 0; i < 300; i++) note(`line ${i}\n\u001b[2J${'x'.repeat(1000)}`);
        yield { position: null, done: 1, total: 1, soFar: null };
        return null;
      },
    });
    const { jobs } = open(t, [chatty.kind]);
    const { id } = await jobs.start(HASHES, 'chatty', { to: 1 });
    const { log } = await until(jobs, id, 'done');
    assert.equal(log!.length, 200);
    assert.match(log![198]!, /line 299\?\?\[2Jx+$/);
    for (const line of log!) assert.ok(line.length < 350 && /^[ -~]*$/.test(line), line);
  });

  test('that waits and is asked for again is the same; once it has begun it is another', async (t) => {
    const count = steps('count');
    const { jobs } = open(t, [count.kind]);
    const first = await jobs.start(HASHES, 'count', { to: 1 });
    await until(jobs, first.id, 'running');
    const both = await Promise.all([
      jobs.start(HASHES, 'count', { to: 1 }),
      jobs.start(caller('hashserv', { user: 'bert' }), 'count', { to: 1 }),
    ]);
    assert.deepEqual(both, [
      { id: first.id + 1, joined: false },
      { id: first.id + 1, joined: true },
    ]);
    assert.notEqual((await jobs.start(HASHES, 'count', { to: 2 })).id, both[0]!.id);
  });

  test('is refused in words: an unknown kind, wrong parameters, too many that wait', async (t) => {
    const count = steps('count');
    const { jobs } = open(t, [count.kind], { maxWaiting: 2 });
    await assert.rejects(
      jobs.start(HASHES, 'nothing', {}),
      refused(/no kind of job "nothing" here; there are count/, 'invalid'),
    );
    await assert.rejects(jobs.start(HASHES, 'count', {}), refused(/count: to is missing/, 'invalid'));
    await assert.rejects(jobs.start(HASHES, 'count', { to: 1, of: 2 }), refused(/unknown key "of"/, 'invalid'));
    const long = { to: 1, text: 'x'.repeat(9000) };
    await assert.rejects(jobs.start(HASHES, 'count', long), refused(/longer than 8192 bytes/, 'invalid'));
    const { id } = await jobs.start(HASHES, 'count', { to: 1 });
    await until(jobs, id, 'running');
    await jobs.start(HASHES, 'count', { to: 2 });
    const { id: last } = await jobs.start(HASHES, 'count', { to: 3 });
    await assert.rejects(jobs.start(HASHES, 'count', { to: 4 }), refused(/2 jobs wait already/));
    assert.equal((await jobs.start(HASHES, 'count', { to: 3 })).id, last, 'an equal one costs nothing');
    await jobs.cancel(HASHES, last);
    await jobs.start(HASHES, 'count', { to: 4 });
  });

  test('of the owner, or of another service, is not refused because clients of one have too many that wait', async (t) => {
    const kinds = (['hashserv', 'prserv', 'owner'] as const).map((access) => steps(access, { access: () => access }));
    const { jobs } = open(
      t,
      kinds.map(({ kind }) => kind),
      { maxWaiting: 2 },
    );
    const { id } = await jobs.start(HASHES, 'hashserv', { to: 1 });
    await until(jobs, id, 'running');
    for (const to of [2, 3]) await jobs.start(HASHES, 'hashserv', { to });
    await assert.rejects(jobs.start(HASHES, 'hashserv', { to: 4 }), refused(/2 jobs wait already/));
    for (const to of [1, 2]) await jobs.start(OWNER, 'owner', { to });
    await assert.rejects(jobs.start(OWNER, 'owner', { to: 3 }), refused(/2 jobs wait already/));
    await jobs.start(caller('prserv'), 'prserv', { to: 1 });
  });

  test('that writes is refused to whoever may only read, and so is its end', async (t) => {
    const count = steps('count');
    const look = steps('look', { writes: () => null });
    const { jobs } = open(t, [count.kind, look.kind]);
    const reader = caller('hashserv', { readOnly: true });
    await assert.rejects(jobs.start(reader, 'count', { to: 1 }), refused(/is read-only/, 'read-only'));
    const { id } = await jobs.start(HASHES, 'count', { to: 1 });
    await assert.rejects(jobs.cancel(reader, id), refused(/is read-only/, 'read-only'));
    await jobs.start(reader, 'look', { to: 1 });
  });

  test('is shown, listed and cancelled only for those who may start it', async (t) => {
    const ofHashes = steps('of-hashes', { writes: () => null });
    const ofPrs = steps('of-prs', { access: () => 'prserv', writes: () => null });
    const ofFiles = steps('of-files', { access: () => 'owner', writes: () => null });
    const { jobs } = open(t, [ofHashes.kind, ofPrs.kind, ofFiles.kind]);
    const PRS = caller('prserv');
    await assert.rejects(jobs.start(PRS, 'of-hashes', { to: 1 }), refused(/hash equivalence service/, 'denied'));
    await assert.rejects(
      jobs.start(HASHES, 'of-files', { to: 1 }),
      refused(/only the user that the server runs as/, 'denied'),
    );
    const made = [
      await jobs.start(HASHES, 'of-hashes', { to: 1 }),
      await jobs.start(PRS, 'of-prs', { to: 1 }),
      await jobs.start(OWNER, 'of-files', { to: 1 }),
    ].map(({ id }) => id) as [number, number, number];
    const listed = async (who: JobCaller) => {
      const page = (await jobs.list(who, { states: null, before: null, limit: 10 })) as unknown as { jobs: Shown[] };
      return page.jobs.map(({ id }) => id);
    };
    assert.deepEqual(await listed(HASHES), [made[0]]);
    assert.deepEqual(await listed(PRS), [made[1]]);
    assert.deepEqual(await listed(OWNER), [...made].reverse());
    for (const id of made.slice(1)) {
      await assert.rejects(jobs.show(HASHES, id, true), refused(/no job \d+ here/, 'missing'));
      await assert.rejects(jobs.cancel(HASHES, id), refused(/no job \d+ here/, 'missing'));
    }
  });

  test('is listed without its result, and with the beginning of what is long: a hundred of them are no megabytes', async (t) => {
    const long = 'x'.repeat(1_000_000);
    const { kind } = steps('long', {
      parameters: parametersOf({ n: { type: 'integer' }, where: {}, names: {} }),
      maxParameterBytes: 2_000_000,
      async *run({ parameters: { n } }) {
        yield { position: long, done: 1, total: 1, soFar: long };
        if (n === 0) throw new InvokeError(long);
        return { text: long };
      },
    });
    const { jobs } = open(t, [kind], { maxWaiting: 200 });
    const names = [`${'n'.repeat(199)}💥${long.slice(0, 1000)}`, ...Array.from({ length: 1000 }, (_, i) => `name${i}`)];
    for (let n = 0; n < 5; n++) await jobs.start(HASHES, 'long', { n, where: { PN: long.slice(0, 100_000) }, names });
    for (let id = 1; id <= 5; id++) await until(jobs, id, id === 1 ? 'failed' : 'done');
    const page = (await jobs.list(HASHES, { states: null, before: null, limit: 100 })) as unknown as { jobs: Shown[] };
    assert.equal(page.jobs.length, 5);
    for (const job of page.jobs) {
      assert.equal(Object.hasOwn(job, 'result'), false);
      assert.ok(JSON.stringify(job).length < 8000, `${JSON.stringify(job).length} characters`);
      const { where, names: shown } = job.parameters as { where: { PN: string }; names: string[] };
      assert.equal(where.PN, `${'x'.repeat(200)}…`);
      assert.deepEqual([shown[0], shown.at(-1)], [`${'n'.repeat(199)}…`, 'and 981 more']);
    }
    assert.equal(page.jobs.at(-1)!.error, `${'x'.repeat(1000)}…`);
    assert.deepEqual((await show(jobs, 2)).result, { text: long });
  });

  test('that is cancelled stops at its slice, and says what it has done; one that waits never begins', async (t) => {
    const count = steps('count');
    const { jobs } = open(t, [count.kind]);
    const { id } = await jobs.start(HASHES, 'count', { to: 9 });
    const { id: second } = await jobs.start(HASHES, 'count', { to: 8 });
    await count.next();
    while ((await show(jobs, id)).progress.done === 0) await new Promise((resolve) => setImmediate(resolve));
    const waiting = (await jobs.cancel(HASHES, second)) as unknown as Shown;
    assert.equal(waiting.state, 'cancelled');
    assert.equal(((await jobs.cancel(HASHES, id)) as unknown as Shown).cancelling, true);
    const cancelled = await until(jobs, id, 'cancelled');
    assert.deepEqual(cancelled.result, { counted: 1 });
    assert.equal(count.seen.length, 1);
    assert.equal(count.left, 1, 'the kind could tidy up');
    await assert.rejects(jobs.cancel(HASHES, id), refused(/not running any more: it is cancelled/));
  });

  test('that fails says why, and the next one runs', async (t) => {
    const refuse = steps('refuse', {
      // biome-ignore lint/correctness/useYield: it fails before
      async *run() {
        throw new InvokeError('the mark is not the current one');
      },
    });
    const broken = steps('broken', {
      // biome-ignore lint/correctness/useYield: it fails before
      async *run() {
        throw new StorageError('storage-full', 'no room in /secret/place');
      },
    });
    const { jobs } = open(t, [refuse.kind, broken.kind]);
    const { id } = await jobs.start(HASHES, 'refuse', { to: 1 });
    assert.equal((await until(jobs, id, 'failed')).error, 'the mark is not the current one');
    const { id: next } = await jobs.start(HASHES, 'broken', { to: 1 });
    assert.equal((await until(jobs, next, 'failed')).error, 'storage full');
    const own: JobKind = { ...broken.kind, name: 'own', access: () => 'owner' };
    jobs.register(own);
    const { id: third } = await jobs.start(OWNER, 'own', { to: 1 });
    assert.equal((await until(jobs, third, 'failed')).error, 'no room in /secret/place', 'the owner may know where');
  });
});

test('the end of a job that cannot be stored is stored when that works again', async (t) => {
  const count = steps('count');
  const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
  let isFull = false;
  let refusedSaves = 0;
  const full: JobArchive = {
    ...archive,
    async open() {
      const records = await archive.open();
      const save: typeof records.save = async (job, lines) => {
        if (!isFull) return records.save(job, lines);
        refusedSaves++;
        throw new StorageError('storage-full', 'no room');
      };
      return { ...records, save };
    },
  };
  const jobs = jobsIn(full, [count.kind], { saveAgainMs: 1 });
  const { id } = await jobs.start(HASHES, 'count', { to: 1 });
  await until(jobs, id, 'running');
  isFull = true;
  await count.next();
  await until(jobs, id, 'done');
  const seen = refusedSaves;
  while (refusedSaves < seen + 2) await new Promise((resolve) => setImmediate(resolve));
  isFull = false;
  const stored = async () => {
    const page = (await jobs.list(OWNER, { states: ['done'], before: null, limit: 1 })) as unknown as { jobs: Shown[] };
    return page.jobs.length === 1;
  };
  while (!(await stored())) await new Promise((resolve) => setImmediate(resolve));
  await jobs.close(5000);
  const again = steps('count');
  const next = jobsIn(archive, [again.kind]);
  t.after(() => next.close(5000));
  await next.resume();
  assert.equal((await show(next, id)).state, 'done');
  assert.equal(again.seen.length, 0, 'it is not begun again');
});

test('the figures tell what runs, what waits and since when, and how each ended', async (t) => {
  const figures = new JobFigures();
  const count = steps('count');
  const { jobs } = open(t, [count.kind], { figures });
  const { id } = await jobs.start(HASHES, 'count', { to: 1 });
  await until(jobs, id, 'running');
  const { id: second } = await jobs.start(HASHES, 'count', { to: 2 });
  const { id: third } = await jobs.start(HASHES, 'count', { to: 3 });
  const { created } = await show(jobs, second);
  const expected = { running: { count: 1 }, waiting: { count: 2 }, waiting_since: created, last_failed: null };
  assert.deepEqual(await jobs.status(), expected);
  await jobs.cancel(HASHES, second);
  await jobs.cancel(HASHES, third);
  await count.next();
  await until(jobs, id, 'done');
  const none = { running: {}, waiting: {}, waiting_since: null, last_failed: null };
  assert.deepEqual(await jobs.status(), none);
  const { ended, seconds } = figures.kinds.get('count')!;
  assert.deepEqual([ended.done, ended.cancelled, seconds.count], [1, 2, 1], 'those that were not begun took no time');
});

describe('after another start', () => {
  test('a job goes on where it was, one that waited waits again, and one that cannot go on says so', async (t) => {
    const [count, once] = [steps('count'), steps('once', { resumable: false })];
    const { archive, jobs } = open(t, [count.kind, once.kind]);
    const { id } = await jobs.start(HASHES, 'count', { to: 3 });
    const { id: waits } = await jobs.start(HASHES, 'once', { to: 1 });
    await count.next();
    while ((await show(jobs, id)).progress.done === 0) await new Promise((resolve) => setImmediate(resolve));
    await jobs.close(5000);

    const [again, onceAgain] = [steps('count'), steps('once', { resumable: false })];
    const second = jobsIn(archive, [again.kind, onceAgain.kind]);
    await second.resume();
    await again.next();
    await again.next();
    assert.deepEqual((await until(second, id, 'done')).result, { counted: 3 });
    assert.deepEqual(again.seen, [{ at: 1 }]);
    await until(second, waits, 'running');
    await second.close(5000);

    const third = jobsIn(archive, [steps('count').kind, steps('once', { resumable: false }).kind]);
    await third.resume();
    const cut = await show(third, waits);
    assert.equal(cut.state, 'interrupted');
    assert.match(cut.error!, /the server was stopped while it ran.*start it again/);
    await third.close(5000);
  });

  /** As a kill leaves it: nothing more is stored. */
  async function killed(t: TestContext, kind: Partial<JobKind>) {
    const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
    const records = await archive.open();
    const job: NewJob = {
      ...{ kind: 'count', parameters: { to: 3 }, access: 'hashserv', writes: 'hash.db', user: null, address: 'unix' },
      ...{ created: 'x', state: 'running', started: 'x', ended: null, position: { at: 1 }, done: 1, total: 3 },
      ...{ result: null, error: null, resumes: 0 },
    };
    const id = await records.add(job);
    await records.close();
    return { archive, id, count: () => steps('count', kind) };
  }

  const interruptions: Readonly<Record<string, readonly [Partial<JobKind> | null, RegExp]>> = {
    'of a kind that cannot go on': [{ resumable: false }, /cannot go on; what it has done stays; start it again/],
    'for another database': [{ writes: () => 'other.db' }, /it was for the database hash\.db/],
    'whose parameters are of another version': [
      { parameters: parametersOf({ upTo: { type: 'integer' } }), access: () => 'hashserv' },
      /its parameters are none that this server takes now \(job-start: count: .*to.*start it again/,
    ],
    'of a kind that is not there any more': [null, /no jobs of the kind count now/],
  };
  for (const [which, [kind, words]] of Object.entries(interruptions)) {
    test(`a job ${which} is interrupted, with what to do`, async (t) => {
      const { archive, id, count } = await killed(t, kind ?? {});
      const jobs = jobsIn(archive, kind === null ? [] : [count().kind]);
      t.after(() => jobs.close(5000));
      await jobs.resume();
      const job = await show(jobs, id);
      assert.equal(job.state, 'interrupted');
      assert.match(job.error!, words);
      const { last_failed: failed } = await jobs.status();
      assert.deepEqual([failed!.id, failed!.kind], [id, 'count']);
    });
  }

  test('a job that ends the server each time is given up', async (t) => {
    const { archive, id, count } = await killed(t, {});
    for (let start = 0; start < 4; start++) {
      const each = count();
      const jobs = jobsIn(archive, [each.kind]);
      await jobs.resume();
      if (start === 3) {
        assert.match((await show(jobs, id)).error!, /ended 3 times before it got further/);
        assert.equal(each.seen.length, 0);
      } else await until(jobs, id, 'running');
      await jobs.close(5000);
    }
  });

  test('a job that begins again each time, and then ends the server, is given up too', async (t) => {
    const { archive, id } = await killed(t, {});
    const position = null;
    const fromTheStart = (): JobKind => ({
      ...steps('count').kind,
      async *run({ signal }) {
        yield { position, done: 2, total: 3, soFar: null, save: true };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        return null;
      },
    });
    for (let start = 0; start < 4; start++) {
      const jobs = jobsIn(archive, [fromTheStart()]);
      await jobs.resume();
      if (start === 3) assert.match((await show(jobs, id)).error!, /ended 3 times before it got further/);
      else while ((await show(jobs, id)).progress.done !== 2) await new Promise((resolve) => setImmediate(resolve));
      await jobs.close(5000);
    }
  });

  test('nothing is opened where there never was a job, nor kept open where none is left', async (t) => {
    let opened = 0;
    let closed = 0;
    const archive = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
    const counted: JobArchive = {
      exists: archive.exists,
      async open() {
        opened++;
        const records = await archive.open();
        return { ...records, close: () => records.close().finally(() => closed++) };
      },
    };
    const first = jobsIn(counted, []);
    await first.resume();
    assert.deepEqual(await first.list(OWNER, { states: null, before: null, limit: 1 }), { jobs: [], next: null });
    assert.equal(opened, 0);
    const quick = steps('quick', {
      // biome-ignore lint/correctness/useYield: there is nothing to do
      async *run() {
        return 'x';
      },
    });
    const second = jobsIn(counted, [quick.kind]);
    const { id } = await second.start(HASHES, 'quick', { to: 1 });
    await until(second, id, 'done');
    await second.close(5000);
    const third = jobsIn(counted, []);
    await third.resume();
    assert.deepEqual([opened, closed], [2, 2]);
    assert.equal((await show(third, id)).state, 'done');
    await third.close(5000);
  });
});

test('while the jobs database cannot be used, jobs are refused in words and the log says it', async (t) => {
  const errors: string[] = [];
  const log: Logger = { ...SILENT, error: (message) => void errors.push(message) };
  const count = steps('count');
  const archive: JobArchive = {
    exists: () => true,
    open: async () => {
      throw new StorageError('storage-corrupt', 'damaged: /secret/place');
    },
  };
  const jobs = jobsIn(archive, [count.kind], { log });
  t.after(() => jobs.close(1000));
  await jobs.resume();
  assert.deepEqual(errors, ['the jobs database cannot be used: jobs are refused, everything else goes on']);
  const words = /no jobs at the moment, the jobs database cannot be used: the database file is damaged/;
  await assert.rejects(jobs.start(HASHES, 'count', { to: 1 }), refused(words, 'unavailable'));
  await assert.rejects(jobs.list(HASHES, { states: null, before: null, limit: 1 }), refused(words, 'unavailable'));
  assert.equal(errors.length, 1, 'not once for each that asks');
});

test('a jobs database that is found damaged only when it is read is told in words too', async (t) => {
  const file = jobArchive(path.join(temporaryFolder(t), 'jobs.db'));
  const archive: JobArchive = {
    exists: () => true,
    open: async () => ({
      ...(await file.open()),
      find: async () => {
        throw new StorageError('storage-corrupt', 'damaged: /secret/place');
      },
    }),
  };
  const jobs = jobsIn(archive, []);
  t.after(() => jobs.close(1000));
  await assert.rejects(jobs.show(HASHES, 1, false), refused(/the database file is damaged/, 'unavailable'));
});
