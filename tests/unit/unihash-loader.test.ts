import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { KnownUnihashes } from '../../lib/storage/memory/known-unihashes.ts';
import { createUnihashLoader, type RowSlice, type RowSource } from '../../lib/storage/memory/unihash-loader.ts';

const hash = (n: number) => n.toString(16).padStart(64, '0');
const SLICE_ROWS = 10;

/** A table with the given ids, in memory; `onSlice` comes when a slice of all rows was read, and before it is handed over. */
function tableOf(ids: () => readonly number[], onSlice: () => void | Promise<void> = () => {}): RowSource {
  const sliceOf = (some: readonly number[]): RowSlice | null => {
    if (some.length === 0) return null;
    const rows = some.map((id) => `1 m${hash(id)}${hash(id + 1000)}`).join('');
    return { rows: Buffer.from(rows), count: some.length, first: Math.min(...some), last: Math.max(...some) };
  };
  const sorted = () => [...ids()].sort((a, b) => a - b);
  return {
    ids: async () => ({ first: sorted()[0] ?? 0, last: sorted().at(-1) ?? 0 }),
    async older(id) {
      const slice = sliceOf(
        sorted()
          .filter((each) => each < id)
          .slice(-SLICE_ROWS),
      );
      await onSlice();
      return slice;
    },
    newer: async (id) =>
      sliceOf(
        sorted()
          .filter((each) => each > id)
          .slice(0, SLICE_ROWS),
      ),
    state: async () => ({ count: ids().length, last: sorted().at(-1) ?? 0, newest: [] }),
    between: null,
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

test('tells how far the reading of all rows has come, and when they are in', async () => {
  const ids = Array.from({ length: 95 }, (_, n) => n + 500);
  const told: number[] = [];
  const memory = new KnownUnihashes(8 * 1024 * 1024);
  const loader = createUnihashLoader(
    tableOf(
      () => ids,
      () => void told.push(loader.loading.share),
    ),
    memory,
    SILENT,
  );
  assert.deepEqual(loader.loading, { state: 'loading', rows: 0, share: 0 });
  loader.changed();
  await until(() => loader.loading.state === 'all');
  assert.deepEqual(loader.loading, { state: 'all', rows: 95, share: 1 });
  assert.deepEqual(told, [...Array.from({ length: 10 }, (_, n) => (10 * n) / 95), 1]);
  for (const id of ids) assert.equal(memory.get(`m ${hash(id)}`), hash(id + 1000));
});

test('holds nothing of rows that went while they were read', async () => {
  let ids = Array.from({ length: 100 }, (_, n) => n + 1);
  const memory = new KnownUnihashes(8 * 1024 * 1024);
  let slices = 0;
  const source = tableOf(
    () => ids,
    async () => {
      if (++slices !== 4) return;
      // They are read, and go before they come in.
      const gone = ids.filter((id) => id % 3 === 0);
      ids = ids.filter((id) => id % 3 !== 0);
      memory.remove(gone.map((id) => `m ${hash(id)}`));
    },
  );
  const loader = createUnihashLoader(source, memory, SILENT);
  loader.changed();
  await until(() => {
    // Not for a moment: what is in memory is answered.
    for (let id = 3; id <= 100 && ids.length < 100; id += 3) assert.equal(memory.get(`m ${hash(id)}`), undefined);
    return loader.loading.state === 'all';
  });
  for (let id = 1; id <= 100; id++)
    assert.equal(memory.get(`m ${hash(id)}`), id % 3 === 0 ? undefined : hash(id + 1000));
});

test('of a memory without room is none', () => {
  const loader = createUnihashLoader(
    tableOf(() => [1]),
    new KnownUnihashes(0),
    SILENT,
  );
  loader.changed();
  assert.deepEqual(loader.loading, { state: 'none', rows: 0, share: 0 });
});

test('takes in what this server stores again and again, and counts the table only once that has ended', async () => {
  const ids = Array.from({ length: 20 }, (_, n) => n + 1);
  let counted = 0;
  const table = tableOf(() => ids);
  const source: RowSource = {
    ...table,
    async state() {
      counted++;
      return table.state();
    },
  };
  const memory = new KnownUnihashes(8 * 1024 * 1024);
  const storing = createUnihashLoader(source, memory, SILENT, Number.MAX_SAFE_INTEGER);
  storing.changed();
  await until(() => storing.loading.state === 'all');
  storing.stored();
  await until(() => storing.loading.state === 'all');
  const before = counted;
  for (let more = 0; more < 5; more++) {
    ids.push(ids.length + 1);
    memory.miss();
    storing.stored();
    await until(() => memory.get(`m ${hash(ids.length)}`) !== undefined);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }
  assert.deepEqual({ state: storing.loading.state, counted }, { state: 'checking', counted: before });
  storing.close();

  const ended = createUnihashLoader(source, memory, SILENT, 1);
  ended.stored();
  ended.stored();
  await until(() => ended.loading.state === 'all');
  assert.ok(counted > before);
});

test('keeps what is in memory where that has no room for all, and this server stores more', async () => {
  let read = 0;
  const memory = new KnownUnihashes(4 * 1024 * 1024);
  const rowsBelow = (id: number) => Array.from({ length: Math.min(4096, id - 1) }, (_, n) => id - 1 - n);
  const source: RowSource = {
    ...tableOf(() => [1, 1_000_000]),
    async older(id) {
      read++;
      const rows = Buffer.from(
        rowsBelow(id)
          .map((each) => `1 m${hash(each)}${hash(each + 1000)}`)
          .join(''),
      );
      return id > 1 ? { rows, count: rowsBelow(id).length, first: Math.max(1, id - 4096), last: id - 1 } : null;
    },
  };
  const loader = createUnihashLoader(source, memory, SILENT);
  loader.changed();
  await until(() => loader.loading.state === 'newest');
  const before = { read, rows: memory.rows };
  loader.stored();
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  assert.deepEqual({ read, rows: memory.rows }, before);
  assert.equal(loader.loading.state, 'newest');
});
