import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import type { SyncMode } from '../../lib/settings/config.ts';
import { createCheckpointer } from '../../lib/storage/sqlite/engine/checkpointer.ts';

const LOOK_MS = 50;

/** A checkpointer whose PASSIVE checkpoints fail, and the time it lives by. */
function failing(t: TestContext, failure: StorageError) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const tried: number[] = [];
  const fatal: StorageError[] = [];
  const checkpointer = createCheckpointer({
    file: '/nowhere/some.db',
    mode: { kind: 'immediate' },
    maintenance: {
      async all(sql: string) {
        if (sql.includes('NOOP')) return [{ busy: 0, log: 10_000, checkpointed: 0 }];
        tried.push(now);
        throw failure;
      },
    } as never,
    writer: { between: assert.fail } as never,
    doubt: { again: <T>(task: () => Promise<T>) => task() } as never,
    log: SILENT,
    onFatal(error) {
      fatal.push(error);
      checkpointer.stop();
    },
    checking: () => false,
    syncFile: async () => {},
  });
  const pass = passing(t, (ms) => {
    now += ms;
  });
  return { checkpointer, tried, fatal, pass };
}

/** Lets time pass, look by look. */
function passing(t: TestContext, advance: (ms: number) => void) {
  return async (ms: number) => {
    for (let at = 0; at < ms; at += LOOK_MS) {
      advance(LOOK_MS);
      t.mock.timers.tick(LOOK_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/** A checkpointer that moves whatever was committed, and what it asks SQLite for. */
function moving(t: TestContext, mode: SyncMode) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const asked: string[] = [];
  const checkpointer = createCheckpointer({
    file: '/nowhere/some.db',
    mode,
    maintenance: {
      async all(sql: string) {
        asked.push(/\((.*)\)/.exec(sql)![1]!);
        return [{ busy: 0, log: 7, checkpointed: sql.includes('NOOP') ? 0 : 7 }];
      },
    } as never,
    writer: { between: assert.fail } as never,
    doubt: { again: <T>(task: () => Promise<T>) => task() } as never,
    log: SILENT,
    onFatal: assert.fail,
    checking: () => false,
    syncFile: async () => {},
  });
  t.after(() => checkpointer.stop());
  const pass = passing(t, (ms) => {
    now += ms;
  });
  return { checkpointer, asked, pass };
}

test('a checkpoint whose sync failed is not tried again', async (t) => {
  const cause = Object.assign(new Error('disk I/O error'), { errno: 1034, code: 'SQLITE_IOERR_FSYNC' });
  const { checkpointer, tried, fatal, pass } = failing(t, new StorageError('storage-io', 'the disk failed', cause));
  checkpointer.committed();
  await pass(5000);
  assert.equal(tried.length, 1);
  assert.equal(fatal.length, 1);
});

test('a checkpoint that finds the disk full is tried again after a second, not at every look', async (t) => {
  const { checkpointer, tried, fatal, pass } = failing(t, new StorageError('storage-full', 'storage full'));
  checkpointer.committed();
  await pass(5000);
  assert.ok(tried.length >= 2, 'it is tried again');
  for (const [i, at] of tried.entries()) assert.ok(i === 0 || at - tried[i - 1]! >= 1000, `at ${tried.join(', ')} ms`);
  assert.deepEqual(fatal, []);
});

for (const mode of [{ kind: 'immediate' }, { kind: 'on_shutdown' }] as const)
  test(`${mode.kind}: nothing is looked at while nobody commits, and all again after the next commit`, async (t) => {
    const { checkpointer, asked, pass } = moving(t, mode);
    await pass(1000);
    assert.equal(asked.length, 0);
    for (let round = 0; round < 3; round++) {
      checkpointer.committed();
      await pass(3000);
      const before: number = asked.length;
      assert.ok(before > 0, 'the commit is noticed');
      if (mode.kind === 'immediate') assert.ok(asked.includes('PASSIVE'), asked.join(', '));
      await pass(60_000);
      assert.equal(asked.length, before);
      asked.length = 0;
    }
  });

describe('a log that has grown long under constant load', () => {
  /** A file whose log is never moved to its end but in the turn, and what is done to it, in order. */
  function loaded(t: TestContext, sync: () => Promise<boolean>) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const done: string[] = [];
    const fatal: StorageError[] = [];
    let log = 20_000;
    const run = async (sql: string) => {
      const mode = /\((.*)\)/.exec(sql)![1]!;
      if (mode !== 'NOOP') done.push(mode);
      if (mode === 'RESTART') log = 0;
      return [{ busy: 0, log, checkpointed: 0 }];
    };
    const checkpointer = createCheckpointer({
      file: '/nowhere/some.db',
      mode: { kind: 'immediate' },
      maintenance: { all: run } as never,
      writer: {
        keepShort: (isShort: boolean) => void done.push(isShort ? 'short' : 'long'),
        between: (job: (connection: unknown) => unknown) => job({ all: run }),
      } as never,
      doubt: { again: <T>(task: () => Promise<T>) => task() } as never,
      log: SILENT,
      onFatal(error) {
        fatal.push(error);
        checkpointer.stop();
      },
      checking: () => false,
      async syncFile() {
        done.push('sync');
        await sync();
      },
    });
    t.after(() => checkpointer.stop());
    return { checkpointer, done, fatal, pass: passing(t, () => {}) };
  }

  test('is begun again after passes that are synced, the last of them beside short batches', async (t) => {
    const { checkpointer, done, fatal, pass } = loaded(t, async () => true);
    checkpointer.committed();
    await pass(LOOK_MS);
    const each = ['PASSIVE', 'sync'];
    assert.deepEqual(done, [
      ...each,
      ...['long', ...each],
      ...['long', ...each],
      ...['short', ...each],
      ...['RESTART', 'long'],
    ]);
    assert.deepEqual(fatal, []);
  });

  test('is not touched again when the disk refuses such a sync: SQLite may never hear of it', async (t) => {
    const { checkpointer, done, fatal, pass } = loaded(t, async () => {
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    });
    checkpointer.committed();
    await pass(5000);
    assert.deepEqual(done.slice(0, 2), ['PASSIVE', 'sync']);
    assert.ok(!done.includes('RESTART'));
    assert.deepEqual(done.at(-1), 'long');
    assert.equal(fatal.length, 1);
    assert.match(fatal[0]!.message, /syncing \/nowhere\/some\.db failed/);
  });
});
