import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../log.ts';
import type { TableCounts } from '../../../meter/row-counts.ts';
import type { Binding, Param } from '../engine/binding.ts';

/** What it counts with. */
export interface CountedDatabase {
  readonly maintenance: Binding;
  read<Row>(connection: Binding, sql: string, params?: readonly Param[]): Promise<Row[]>;
  onClose(listener: () => void): void;
}

/** A count reads every page of the tables: it is done no more often than this. */
const EVERY_MS = 300_000;
/** Rows counted by one statement: a few milliseconds. Whatever else the connection is for waits no longer. */
const SLICE_ROWS = 20_000;
/** Nor does it take more than a tenth of one thread's time. */
const REST_FACTOR = 9;

/** By rowid, which every table has: an index may be missing. A slice is a statement, so that no snapshot stays. */
const slice = (table: string) => `
SELECT count(*) AS rows, max(id) AS last FROM (
  SELECT rowid AS id FROM ${table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ${SLICE_ROWS})`;

/**
 * Counts on the maintenance connection, which is for long scans in pages: no look-up and no report waits.
 * @param tables names of our own, not a client's; there may be more later
 */
export function createRowCounter(
  database: CountedDatabase,
  tables: Iterable<string>,
  log: Logger,
  everyMs = EVERY_MS,
): TableCounts {
  let rows: ReadonlyMap<string, number> = new Map();
  let countedAt: number | null = null;
  let dueAt = 0;
  let counting: Promise<void> | null = null;
  let closed = false;
  database.onClose(() => {
    closed = true;
  });

  async function count(table: string): Promise<number> {
    let total = 0;
    for (let after: number | null = 0; after !== null && !closed; ) {
      const began = performance.now();
      const found: { rows: number; last: number | null }[] = await database.read(database.maintenance, slice(table), [
        after,
      ]);
      total += found[0]!.rows;
      after = found[0]!.rows < SLICE_ROWS ? null : found[0]!.last;
      if (after !== null) await delay((performance.now() - began) * REST_FACTOR);
    }
    return total;
  }

  async function countAll(): Promise<void> {
    try {
      const counted = new Map<string, number>();
      for (const table of tables) counted.set(table, await count(table));
      if (closed) return;
      rows = counted;
      countedAt = Date.now() / 1000;
    } catch (error) {
      log.debug('rows could not be counted', { error });
    } finally {
      dueAt = performance.now() + everyMs;
      counting = null;
    }
  }

  return {
    get rows() {
      return rows;
    },
    get countedAt() {
      return countedAt;
    },
    async refresh() {
      if (!counting && !closed && performance.now() >= dueAt) counting = countAll();
      await counting;
    },
  };
}
