import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import type { Doubt } from '../../lib/storage/sqlite/engine/doubt.ts';
import { Gatherer, type WriteKind } from '../../lib/storage/sqlite/engine/submissions.ts';
import { createWriteConnection } from '../../lib/storage/sqlite/engine/write-connection.ts';
import { createWriter } from '../../lib/storage/sqlite/engine/writer.ts';

/** A connection to a file that another program never lets go of. */
function lockedConnection(): { connection: Binding; attempts: () => number } {
  let attempts = 0;
  const connection: Partial<Binding> = {
    async run(sql) {
      if (!sql.startsWith('BEGIN')) return 0;
      attempts++;
      throw new StorageError('storage-busy', 'locked');
    },
    exec: async () => {},
  };
  return { connection: connection as Binding, attempts: () => attempts };
}

const onFatal = (error: Error) => assert.fail(error);
/** No read fails here. */
const NO_DOUBT: Doubt = { again: (task) => task(), retry: assert.fail, stop: async () => {} };

function writerOn(first: Binding) {
  const open = async () => assert.fail('the connection is opened again');
  const connection = createWriteConnection({ first, open, log: SILENT, onFatal, reopenAfterMs: undefined });
  return createWriter({
    connection,
    doubt: NO_DOUBT,
    room: { need: () => null },
    beforeWrite: () => null,
    onCommit() {},
    onFatal,
  });
}

const KIND: WriteKind<number, number> = { apply: async (_, ops) => ops };

test('a writer that is drained tries nothing more after its deadline, however much is queued', async () => {
  const { connection, attempts } = lockedConnection();
  const writer = writerOn(connection);
  const run = Array.from({ length: 256 }, (_, i) => i);
  const writes = Array.from({ length: 40 }, () => writer.submit(KIND, run, run.length));
  const slices = Array.from({ length: 40 }, () => writer.slice(async () => 1));
  const refused = [...writes, ...slices].map((each) => assert.rejects(each, StorageError));
  assert.equal(writer.queued, 40 * 256);
  while (attempts() === 0) await new Promise((resolve) => setImmediate(resolve));
  const before = attempts();
  await writer.drain(0);
  await Promise.all(refused);
  // The one under way may be tried once more.
  assert.ok(attempts() <= before + 1, `${attempts() - before} attempts after the deadline`);
  assert.equal(writer.queued, 0);
});

test('while a write waits for a lock, others are asked for their commits all the same', async () => {
  const { connection } = lockedConnection();
  const writer = writerOn(connection);
  let refused = false;
  const write = writer.submit(KIND, [1], 1).catch(() => {
    refused = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  for (let look = 0; look < 3; look++) await writer.between(async () => {});
  assert.equal(refused, false);
  await writer.drain(0);
  await write;
});

test('a write that comes late into a batch waits for the lock as long as any other', async (t) => {
  let now = 1;
  t.mock.method(performance, 'now', () => now);
  const { connection, attempts } = lockedConnection();
  const writer = writerOn(connection);
  const refused: string[] = [];
  const submit = (name: string) => writer.submit(KIND, [1], 1).catch(() => refused.push(name));
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
  const writes = [submit('first')];
  while (attempts() === 0) await turn();
  writes.push(submit('second'));
  now = 9_000;
  writes.push(submit('late'));
  now = 10_002;
  while (refused.length < 2) await turn();
  const before = attempts();
  while (attempts() < before + 2) await turn();
  assert.deepEqual(refused, ['first', 'second']);
  now = 19_001;
  await Promise.all(writes);
  assert.deepEqual(refused, ['first', 'second', 'late']);
});

test('batches are short while somebody prepares a turn between them, and as large as ever afterwards', async () => {
  const writer = writerOn({ run: async () => 0, exec: async () => {} } as Partial<Binding> as Binding);
  const sizes: number[] = [];
  const kind: WriteKind<number, number> = {
    async apply(_, ops) {
      sizes.push(ops.length);
      return ops;
    },
  };
  const flood = (from: number) =>
    Promise.all(Array.from({ length: 40 }, (_, i) => writer.submit(kind, Array(16).fill(from + i), 16)));
  writer.keepShort(true);
  for (const [i, answers] of (await flood(0)).entries()) assert.deepEqual(answers, Array(16).fill(i));
  assert.deepEqual([Math.max(...sizes), sizes.reduce((sum, size) => sum + size, 0)], [64, 640]);
  sizes.length = 0;
  writer.keepShort(false);
  for (const [i, answers] of (await flood(100)).entries()) assert.deepEqual(answers, Array(16).fill(100 + i));
  assert.equal(Math.max(...sizes), 256);
});

/** A connection whose statements take a turn of the event loop. */
function idleConnection(onBegin = () => {}): Binding {
  const run = async (sql: string) => {
    if (sql.startsWith('BEGIN')) onBegin();
    await new Promise((resolve) => setImmediate(resolve));
    return 0;
  };
  return { run } as Partial<Binding> as Binding;
}

/** A writer whose batches end when they are told to; what it begins and answers, by the first operation of each. */
function slowWriter() {
  const events: string[] = [];
  const ends: (() => void)[] = [];
  const kind: WriteKind<string, string> = {
    apply: assert.fail,
    applyAlone(_, ops) {
      events.push(`begin ${ops.filter((op) => op !== '')}`);
      return new Promise((resolve) => ends.push(() => resolve(ops)));
    },
  };
  const writer = writerOn(idleConnection());
  const write = (op: string, ops = 1) =>
    writer.submit(kind, [op, ...Array(ops - 1).fill('')], 1).then(([stored]) => void events.push(`answer ${stored}`));
  return { events, ends, write };
}

test('where many write, the next batch is with its thread before the last one is answered', async () => {
  const { events, ends, write: writeOne } = slowWriter();
  const write = (op: string) => writeOne(op, 20);
  const first = write('a');
  while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = write('b');
  ends[0]!();
  await first;
  assert.deepEqual(events, ['begin a', 'begin b', 'answer a']);
  ends[1]!();
  await second;
  assert.deepEqual(events, ['begin a', 'begin b', 'answer a', 'answer b']);
});

test('where few write, those who are answered are in the next batch if they are back at once', async (t) => {
  const { events, ends, write } = slowWriter();
  // The batch takes 3 ms, and then no time passes: only what is counted ends the wait.
  t.mock.method(performance, 'now', () => (events.length === 0 ? 1 : 4));
  const first = write('a').then(() => write('c'));
  while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = write('b');
  ends[0]!();
  while (ends.length === 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, ['begin a', 'answer a', 'begin b,c']);
  ends[1]!();
  await Promise.all([first, second]);
});

test('those who are answered are not waited for if they do not come, nor once they have', () => {
  let now = 1000;
  const gatherer = new Gatherer(() => now);
  assert.equal(gatherer.waits(0), false);
  gatherer.answers(5, 5, 2);
  assert.deepEqual([gatherer.waits(5), gatherer.waits(9), gatherer.waits(10)], [true, true, false]);
  assert.equal(gatherer.waits(0), false, 'they came already');
  gatherer.answers(5, 5, 2);
  now += 0.49;
  assert.equal(gatherer.waits(9), true);
  now += 0.01;
  assert.equal(gatherer.waits(9), false);
  // Never longer than a millisecond, however long a batch takes; and not at all for what makes a large batch.
  gatherer.answers(1, 1, 100);
  now += 1;
  assert.equal(gatherer.waits(1), false);
  gatherer.answers(16, 17, 2);
  assert.equal(gatherer.waits(17), false);
});

test('whatever is written meanwhile, each write is answered with what it stored, and a commit is told before the next begins', async () => {
  const step = fc.record({
    how: fc.constantFrom('alone', 'together', 'slice', 'between'),
    ops: fc.integer({ min: 1, max: 300 }),
    waits: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      let untold = 0;
      const allTold = () => assert.equal(untold, 0, 'the last commit was not told');
      const apply = async (ops: readonly string[]) => {
        await turn();
        return ops.map((op) => `stored ${op}`);
      };
      const kinds: Record<string, WriteKind<string, string>> = {
        alone: {
          apply: (_, ops) => apply(ops),
          applyAlone(_, ops) {
            allTold();
            return apply(ops);
          },
        },
        together: {
          async apply(_, ops) {
            const stored = await apply(ops);
            untold++;
            return stored;
          },
          committed() {
            untold = 0;
          },
        },
      };
      const writer = writerOn(idleConnection(allTold));
      const outcomes: Promise<unknown>[] = [];
      for (const [i, { how, ops, waits }] of steps.entries()) {
        const given = Array.from({ length: ops }, (_, n) => `${i}.${n}`);
        const expected = given.map((op) => `stored ${op}`);
        if (how === 'slice') outcomes.push(writer.slice(turn));
        else if (how === 'between') outcomes.push(writer.between(turn));
        else outcomes.push(writer.submit(kinds[how]!, given, ops).then((stored) => assert.deepEqual(stored, expected)));
        if (waits) await turn();
      }
      await Promise.all(outcomes);
      assert.equal(writer.queued, 0);
    }),
    { numRuns: 50 },
  );
});
