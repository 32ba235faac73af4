import type { Equivalence, HashStore, OuthashRow, Report, User } from '../../../hashserv/store.ts';
import type { Logger } from '../../../log.ts';
import { CacheFigures } from '../../../meter/store-figures.ts';
import { createBatcher } from '../../memory/batcher.ts';
import { cacheStateOf, countHits } from '../../memory/cache-figures.ts';
import type { Binding } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import type { WriteKind } from '../engine/submissions.ts';
import { createGcStore } from './gc-store.ts';
import { createKnownRows } from './known-rows.ts';
import { createNotes } from './notes.ts';
import { createOuthashStore } from './outhash-store.ts';
import { createRowStore } from './row-store.ts';
import { CREATED, HASH_SCHEMA, NEW_MARK, REPORT_COLUMNS } from './schema.ts';
import { createUnihashLookup, STORED_UNIHASHES } from './unihash-lookup.ts';
import { createUserStore } from './user-store.ts';

export interface HashStoreOptions {
  readonly database: Database;
  /** Bytes of answers kept in memory. */
  readonly cacheBytes: number;
  readonly log: Logger;
}

const UNIHASH =
  "SELECT unihash FROM unihashes_v3 WHERE method = ? AND taskhash = ? AND typeof(unihash) = 'text' LIMIT 1";

/** Relies on unihash_lookup_v1. */
const EXISTING =
  'SELECT q.key AS i FROM json_each(?) q WHERE EXISTS (SELECT 1 FROM unihashes_v3 WHERE unihash = q.value)';

/**
 * RETURNING is evaluated after the trigger, row by row: a report is answered with what was stored once it had been applied.
 * SQLite promises no order of returned rows, so each says which report it answers.
 */
const REPORT = `
INSERT INTO temp.report (i, ${REPORT_COLUMNS.join(', ')})
  SELECT q.key, ${REPORT_COLUMNS.map((_, i) => `q.value->>${i}`).join(', ')} FROM json_each(?) q WHERE true
  RETURNING i, (SELECT CASE typeof(u.unihash) WHEN 'text' THEN u.unihash END FROM unihashes_v3 u
    WHERE u.method = report.method AND u.taskhash = report.taskhash) AS unihash`;

const KEPT_COLUMNS = ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'];

const KEEP_OUTHASHES = `
INSERT INTO outhashes_v2 (${KEPT_COLUMNS.join(', ')})
  SELECT ${KEPT_COLUMNS.map((_, i) => `q.value->>${i}`).join(', ')} FROM json_each(?) q WHERE true
  ON CONFLICT (method, taskhash, outhash) DO NOTHING`;

const REPORT_EQUIVALENT = `
INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
  SELECT q.value->>0, q.value->>1, q.value->>2, ${NEW_MARK}
  FROM json_each(?) q WHERE true ON CONFLICT (method, taskhash) DO NOTHING`;

/**
 * Of the rows stored last: as each server's rows are stored in the order of their `created`, the newest is among them,
 * except for rows that were imported or came from an upstream. Reading all would delay the start with a large file.
 */
const NEWEST_CREATED = `
SELECT max(${CREATED('created')}) AS created FROM (
  SELECT created FROM outhashes_v2 WHERE typeof(created) = 'text' ORDER BY id DESC LIMIT 10000)`;

/** The hash equivalence store on SQLite. Adds its tables to the database; throws StorageError when it cannot. */
export async function createHashStore({ database, cacheBytes, log }: HashStoreOptions): Promise<HashStore> {
  await database.addSchema(HASH_SCHEMA);
  const known = createKnownRows(database, cacheBytes, log);
  const { memory } = known;
  const asked = new CacheFigures();
  const users = createUserStore(database);
  const [newest] = await database.read<{ created: string | null }>(database.reads, NEWEST_CREATED);
  // The first call comes by itself, soon after the start: from then on the memory is filled. Others come when somebody asks.
  database.onForeignCommit(() => {
    known.unsure();
    users.changed();
  });

  const lookup = createUnihashLookup(database, memory, log);

  const lookupExisting = createBatcher(
    async (unihashes: readonly string[]) => {
      const { epoch } = memory;
      return { epoch, existing: await rows<{ i: number }>(database.lookups, EXISTING, unihashes) };
    },
    ({ epoch, existing }, unihashes): boolean[] => {
      const found: boolean[] = new Array(unihashes.length).fill(false);
      for (const { i } of existing) {
        found[i] = true;
        memory.addExisting(unihashes[i]!, epoch);
      }
      return found;
    },
  );

  const rows = <Row>(connection: Binding, sql: string, keys: readonly unknown[]) =>
    database.read<Row>(connection, sql, [JSON.stringify(keys)]);

  async function readUnihash(method: string, taskhash: string): Promise<string | null> {
    if (!method.includes(' ') && !taskhash.includes(' ')) return (await lookup.get([`${method} ${taskhash}`]))[0]!;
    const [row] = await database.read<{ unihash: string }>(database.reads, UNIHASH, [method, taskhash]);
    return row?.unihash ?? null;
  }

  async function submit<Op extends Equivalence>(kind: WriteKind<Op, string | null>, ops: readonly Op[], bytes: number) {
    try {
      return await database.writer!.submit(kind, ops, bytes);
    } catch (error) {
      // It may have been done all the same.
      known.stored();
      throw error;
    }
  }

  /**
   * Writes, and resolves to the unihash then stored for each, otherwise the one that was proposed. The writer reads them
   * from the file: what is in memory may be of a row that another server has just removed, and that this write has
   * replaced. Then none of it can be relied on.
   */
  async function write<Op extends Equivalence>(kind: WriteKind<Op, string | null>, ops: readonly Op[], bytes: number) {
    const { epoch } = memory;
    const found = await submit(kind, ops, bytes);
    if (epoch !== memory.epoch) known.stored();
    return ops.map(({ method, taskhash, unihash: proposed }, i) => {
      const unihash = found[i]!;
      // A row as another program stores it, or a report that got the unihash of one.
      if (!isUnihash(unihash)) known.stored();
      if (!method.includes(' ') && !taskhash.includes(' ')) {
        const task = `${method} ${taskhash}`;
        const inMemory = memory.get(task);
        if (inMemory !== undefined && inMemory !== unihash) known.forget();
        // What was proposed has been checked; another's row may hold a text that no stream could answer with.
        else if (unihash === proposed || isUnihash(unihash)) memory.add(task, unihash, epoch);
      } else memory.addStray();
      return unihash ?? proposed;
    });
  }

  const store: HashStore = {
    readOnly: database.readOnly,
    get loading() {
      return known.loading;
    },
    newestCreated: newest!.created,

    cache: cacheStateOf(memory, asked),

    knownUnihash(task) {
      const unihash = known.isFresh() ? memory.get(task) : undefined;
      if (unihash !== undefined) asked.hits++;
      return unihash;
    },
    knownLines(of, misses) {
      const scanner = known.lines(of, misses);
      return scanner && countHits(scanner, asked);
    },
    unihashes(tasks) {
      asked.misses += tasks.length;
      return lookup.get(tasks);
    },
    async unihash(method, taskhash) {
      const asLine = !method.includes(' ') && !taskhash.includes(' ') && known.isFresh();
      const unihash = asLine ? memory.get(`${method} ${taskhash}`) : undefined;
      if (unihash === undefined) asked.misses++;
      else asked.hits++;
      return unihash ?? readUnihash(method, taskhash);
    },
    knownToExist(unihash) {
      const exists = known.isFresh() && memory.exists(unihash);
      if (exists) asked.hits++;
      return exists;
    },
    unihashesExist(unihashes) {
      asked.misses += unihashes.length;
      return lookupExisting.get(unihashes);
    },

    ...createOuthashStore(database),

    report: (reports) => write(REPORT_KIND, reports, sizeOf(reports)),

    async keepOuthashes(rows) {
      await database.writer!.submit(KEEP_KIND, rows, rows.length * 1024);
    },

    reportEquivalent: (equivalences) => write(EQUIVALENT_KIND, equivalences, equivalences.length * 256),

    // Loaded for the first insight.
    async openInsightRows(...given) {
      const rows = await (await import('./insight-rows.ts')).openInsightRows(database, ...given);
      return { ...rows, text: store.siginfo };
    },
    ...createGcStore(database, known),
    ...createRowStore(database, known),
    ...createNotes(database),
    ...users.methods,
    get usersVersion() {
      // Nobody has looked for a while whether another server has changed a user.
      if (!known.isFresh()) users.changed();
      return users.version;
    },
  };
  return store;
}

const UNIHASH_FORM = /^[0-9a-f]{64}$/;

function isUnihash(text: string | null): text is string {
  return text !== null && UNIHASH_FORM.test(text);
}

const NOTHING: readonly undefined[] = [];

/** A kind that writes with one statement, which is its own transaction if the batch has no other kind. */
function oneStatement<Op, Result>(apply: WriteKind<Op, Result>['apply']): WriteKind<Op, Result> {
  return { apply, applyAlone: apply };
}

const REPORT_KIND = oneStatement<Report, string | null>(async (connection, reports) => {
  const rows = reports.map((report) => REPORT_COLUMNS.map((column) => report[column]));
  const stored: (string | null)[] = [];
  for (const row of await connection.all<{ i: number; unihash: string | null }>(REPORT, [JSON.stringify(rows)]))
    stored[row.i] = row.unihash;
  return stored;
});

const KEEP_KIND = oneStatement<OuthashRow, undefined>(async (connection, rows) => {
  await connection.run(KEEP_OUTHASHES, [JSON.stringify(rows.map((row) => KEPT_COLUMNS.map((column) => row[column])))]);
  return NOTHING;
});

/**
 * RETURNING says nothing about existing rows. So they are read, by the connection that has their pages in
 * memory; in its own turn it sees nothing that is not committed, or about to be with this batch.
 */
const EQUIVALENT_KIND = oneStatement<Equivalence, string | null>(async (connection, equivalences) => {
  const rows = JSON.stringify(equivalences.map(({ method, taskhash, unihash }) => [method, taskhash, unihash]));
  await connection.run(REPORT_EQUIVALENT, [rows]);
  const [row] = await connection.all<{ list: string }>(STORED_UNIHASHES, [rows]);
  return JSON.parse(row!.list) as (string | null)[];
});

function sizeOf(reports: readonly Report[]): number {
  return reports.reduce((sum, report) => sum + 512 + (report.outhash_siginfo?.length ?? 0), 0);
}

export type { User };
