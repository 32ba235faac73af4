import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { assertWhole, TORN } from '../torture/rounds.ts';
import {
  type DiskEvent,
  NOTHING_SURVIVES,
  RECORD,
  readRecord,
  replay,
  SOMETHING_SURVIVES,
  type Survives,
} from './disk-record.ts';
import {
  type Context,
  eventually,
  hash,
  pause,
  report,
  reportOf,
  type ServerProcess,
  serve,
  temporaryFolder,
} from './helpers.ts';
import { cannotTrace, noProc } from './needs.ts';
import { trace } from './tracing.ts';

const FILES = ['hashserv.db', 'hashserv.db-wal'];
/** Random cuts into one record. */
const CUTS = 16;

const nameOf = (i: number) => `task${i}`;

/** Opens what a power cut left: it must be whole. Returns how many of the reports, made one after another, are there. */
async function reportsIn(t: Context, folder: string): Promise<number> {
  const database = await assertWhole(t, path.join(folder, 'hashserv.db'));
  assert.deepEqual(await database.all(TORN), [], 'a report is torn');
  const rows = await database.all<{ taskhash: string }>('SELECT taskhash FROM outhashes_v2');
  await database.close();
  const found = new Set(rows.map((row) => row.taskhash));
  let count = 0;
  while (found.has(hash(`t${nameOf(count)}`))) count++;
  assert.equal(found.size, count, 'a report is there although one before it is not');
  return count;
}

/** Copies the files of a server that does not run. */
function copyFiles(from: string, to: string): void {
  for (const name of FILES) {
    const file = path.join(from, name);
    if (fs.existsSync(file)) fs.copyFileSync(file, path.join(to, name));
  }
}

/** Stops every thread of the server where it is, for as long as `look` takes. */
async function frozen<T>(server: ServerProcess, look: () => T): Promise<T> {
  const { pid } = server.child;
  server.child.kill('SIGSTOP');
  const isStopped = (task: string) =>
    / [tT] /.test(fs.readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').slice(0, 60));
  while (!fs.readdirSync(`/proc/${pid}/task`).every(isStopped)) await pause();
  try {
    return look();
  } finally {
    server.child.kill('SIGCONT');
  }
}

/** Reports one after another until told to stop. */
function reportAway(client: Awaited<ReturnType<ServerProcess['hash']>>, from = 0) {
  const state = { answered: from, stopped: false };
  const run = (async () => {
    while (!state.stopped) {
      await report(client, nameOf(state.answered));
      state.answered++;
    }
  })();
  run.catch(() => {});
  return {
    state,
    async stop() {
      state.stopped = true;
      await run;
    },
  };
}

describe('files copied while the server writes', {
  concurrency: true,
  skip: noProc(),
}, () => {
  for (const syncMode of ['immediate', 'periodic:0.1', 'on_shutdown']) {
    test(`at any moment hold every report answered until then, in mode ${syncMode}`, async (t) => {
      const folder = temporaryFolder(t);
      const server = await serve(t, { folder, args: ['--sync-mode', syncMode] });
      const reports = reportAway(await server.hash());
      for (let i = 0; i < 8; i++) {
        const wanted = reports.state.answered + 1 + Math.floor(Math.random() * 30);
        while (reports.state.answered < wanted) await pause();
        const copy = temporaryFolder(t);
        const { answered } = reports.state;
        await frozen(server, () => copyFiles(folder, copy));
        const found = await reportsIn(t, copy);
        assert.ok(found >= answered, `${answered} reports were answered, ${found} are there`);
      }
      await reports.stop();
    });
  }

  test('without the end of the write-ahead log hold a prefix of the reports', async (t) => {
    const folder = temporaryFolder(t);
    // So that the tables are in the file.
    await (await serve(t, { folder })).stop();
    // No checkpoint comes before 4 MiB: all the reports are in the log.
    const server = await serve(t, { folder, args: ['--sync-mode', 'on_shutdown'] });
    const client = await server.hash();
    for (let i = 0; i < 60; i++) await report(client, nameOf(i));
    const whole = temporaryFolder(t);
    await frozen(server, () => copyFiles(folder, whole));
    const { size } = fs.statSync(path.join(whole, FILES[1]!));
    const counts = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const copy = temporaryFolder(t);
      copyFiles(whole, copy);
      const wal = path.join(copy, FILES[1]!);
      fs.truncateSync(wal, Math.floor(Math.random() * size));
      // What the disk held there before.
      if (i % 2) fs.appendFileSync(wal, Buffer.alloc(10_000, i));
      counts.add(await reportsIn(t, copy));
    }
    assert.ok(counts.size > 5, 'the cuts made no difference');
  });
});

describe('a power cut', { concurrency: true, skip: cannotTrace() }, () => {
  interface Recorded {
    readonly base: string;
    readonly events: readonly DiskEvent[];
    /** When each report was answered. */
    readonly answeredAt: readonly number[];
  }

  /** Records reports with a checkpoint of the log between them, so that it is begun anew. */
  async function record(t: Context, syncMode: string): Promise<Recorded> {
    const folder = temporaryFolder(t);
    // A clean stop first: what the record starts from is on the disk.
    await (await serve(t, { folder })).stop();
    const base = temporaryFolder(t);
    copyFiles(folder, base);
    const server = await serve(t, { folder, args: ['--sync-mode', syncMode] });
    const output = path.join(temporaryFolder(t), 'trace');
    await trace(t, server.child.pid!, [...RECORD, '-o', output]);
    const client = await server.hash();
    const read = () => readRecord(fs.readFileSync(output, 'utf8'));
    for (let i = 0; i < 40; i++) await report(client, nameOf(i));
    // on_shutdown makes none before 4 MiB.
    if (syncMode !== 'on_shutdown') {
      await eventually(20_000, async () =>
        assert.ok(read().some((event) => event.kind === 'sync' && event.file === FILES[0])),
      );
    }
    for (let i = 40; i < 80; i++) await report(client, nameOf(i));
    await server.stop();
    const events = await eventually(20_000, async () => {
      const all = read();
      assert.ok(answer(all, 79), 'the record is not complete');
      return all;
    });
    return { base, events, answeredAt: Array.from({ length: 80 }, (_, i) => answer(events, i)!.begun) };
  }

  function answer(events: readonly DiskEvent[], i: number): DiskEvent | undefined {
    const { taskhash } = reportOf(nameOf(i));
    return events.find((event) => event.kind === 'answer' && event.text.startsWith(`{"taskhash": "${taskhash}"`));
  }

  async function cut(t: Context, { base, events }: Recorded, at: number, survives: Survives): Promise<number> {
    const folder = temporaryFolder(t);
    replay(events, at, survives, base, folder);
    const found = await reportsIn(t, folder);
    fs.rmSync(folder, { recursive: true });
    return found;
  }

  const answeredBefore = ({ answeredAt }: Recorded, at: number) => answeredAt.filter((when) => when < at).length;
  const randomCut = ({ events }: Recorded) => Math.floor(Math.random() * events.at(-1)!.done);

  test('loses no report answered in mode immediate, at whatever moment it comes', async (t) => {
    const recorded = await record(t, 'immediate');
    // The strictest moments: each answer is about to leave, and nothing that was not synced survives.
    for (const at of recorded.answeredAt.filter((_, i) => i % 3 === 0)) {
      const found = await cut(t, recorded, at + 1, NOTHING_SURVIVES);
      assert.ok(
        found >= answeredBefore(recorded, at + 1),
        `${found} reports left of ${answeredBefore(recorded, at + 1)}`,
      );
    }
    for (let i = 0; i < CUTS; i++) {
      const at = randomCut(recorded);
      const found = await cut(t, recorded, at, SOMETHING_SURVIVES);
      assert.ok(found >= answeredBefore(recorded, at), `${found} reports left of ${answeredBefore(recorded, at)}`);
    }
  });

  for (const syncMode of ['periodic:0.1', 'on_shutdown']) {
    test(`leaves a whole file with a prefix of the reports in mode ${syncMode}`, async (t) => {
      const recorded = await record(t, syncMode);
      let lost = 0;
      for (let i = 0; i < CUTS; i++) {
        const at = randomCut(recorded);
        const found = await cut(t, recorded, at, i % 2 ? SOMETHING_SURVIVES : NOTHING_SURVIVES);
        lost = Math.max(lost, answeredBefore(recorded, at) - found);
      }
      // Or else these modes sync before each answer too, and the test above proves nothing.
      assert.ok(lost > 0, 'no cut lost a report');
      t.diagnostic(`at most ${lost} reports lost`);
      assert.equal(await cut(t, recorded, Number.POSITIVE_INFINITY, NOTHING_SURVIVES), 80, 'after a clean stop');
    });
  }
});
