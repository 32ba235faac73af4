import type { Logger } from '../../../log.ts';
import { isCountable } from '../../../prserv/revision.ts';
import type {
  ChecksumKey,
  ColumnInfo,
  PackageKey,
  PrAnswer,
  PrFilter,
  PrRequest,
  PrRow,
  PrStore,
  RowFilter,
} from '../../../prserv/store.ts';
import { createBatcher } from '../../memory/batcher.ts';
import { learnUnder, learnValues, type PackageRows, packageKey } from '../../memory/package-rows.ts';
import { decideAll, type Missing } from '../../memory/pr-decision.ts';
import type { PostgresDatabase } from '../engine/database.ts';
import type { ConnectionPool, Session, Statement } from '../engine/pool.ts';
import type { WriteKind } from '../engine/writer.ts';
import { COLUMNS, columnsOf } from './columns.ts';
import { openInsightRows } from './insight-rows.ts';
import { createNoteMoment, createStoredAfter } from './moments.ts';
import { createPackageFinder } from './package-finder.ts';
import { largestUnderOf, maximaOf, type Reader, readPackages, rowsOfPackages, valuesOf } from './packages.ts';

/** Nothing is kept. */
const NO_CACHE = { hits: 0, misses: 0, entries: 0, bytes: 0 };

const INSERT: Statement = {
  name: 'bakeserv-pr-insert',
  text: `INSERT INTO prmain (version, pkgarch, checksum, value)
    SELECT q.v, q.a, q.c, q.n FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) q(v, a, c, n)
    ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`,
};

/**
 * Before the transaction reads anything, so that nothing it has read is changed before it ends: whoever gives out a value
 * waits. Otherwise each such value would have all of a large publication done again.
 */
const LOCK = 'LOCK TABLE prmain IN SHARE ROW EXCLUSIVE MODE';
/** 1,000,000 rows have to fit, also where the database is far away. */
const PUBLISH_MS = 300_000;

/** As the tables of a server on SQLite are described to clients: they compare it with their own. */
const COLUMN_INFO: readonly ColumnInfo[] = COLUMNS.map((name, i) => ({
  name,
  type: 'TEXT',
  notnull: name === 'value' ? 0 : 1,
  dflt_value: null,
  pk: i + 1,
}));

/**
 * The PR store on PostgreSQL. Nothing is kept in memory: get-pr reads what is stored and decides in one serializable
 * transaction, so no value is given to two checksums, whichever servers they ask.
 */
export function createPrStore(database: PostgresDatabase, log: Logger): PrStore {
  const { reads, lookups } = database;
  let warned = 0;
  const bad = (row: PrRow) => {
    if (warned++ < 10) log.warn('a PR row is skipped: its value is not made of numbers', { ...row });
  };
  const readerOf = (pool: ConnectionPool): Reader => ({ all: (statement, params) => pool.read(statement, params) });

  const getPrKind: WriteKind<PrRequest, PrAnswer> = {
    async apply(session, requests) {
      const decided = await decide(session, requests, bad, (rows, missing) => decideAll(requests, rows, missing));
      if (decided.rows.length > 0) await insert(session, decided.rows);
      return decided.values;
    },
  };

  const importKind: WriteKind<PrRow, undefined> = {
    async apply(session, rows) {
      await insert(session, rows);
      return [];
    },
  };

  // Each by itself: nothing is stored, so the second of two new checksums gets the same value (docs/protocol.md).
  const peekPr = (requests: readonly PrRequest[]): Promise<readonly PrAnswer[]> =>
    decide(readerOf(lookups), requests, bad, (rows, missing) =>
      requests.map((request) => decideAll([request], rows, missing).values[0]!),
    );

  const values = createBatcher(
    (keys: readonly ChecksumKey[]) => valuesOf(readerOf(lookups), keys),
    (found) =>
      found.map((known) => {
        if (known.smallest === null) return [];
        return known.smallest === known.largest ? [known.largest] : [known.smallest, known.largest];
      }),
  );
  const maxima = createBatcher(
    (keys: readonly PackageKey[]) => maximaOf(readerOf(lookups), keys),
    (found) => found,
  );

  return {
    noteMoment: createNoteMoment(reads, () => database.writer!),
    storedAfter: createStoredAfter(reads),
    openInsightRows: () => openInsightRows(database),
    readOnly: database.writer === null,
    cache: NO_CACHE,
    getPr: (requests) =>
      database.writer ? database.writer.submit(getPrKind, requests, requests.length * 256) : peekPr(requests),
    peekPr,
    values: (keys) => values.get(keys),
    maxima: (keys) => maxima.get(keys),
    async importRows(rows) {
      await database.writer!.submit(importKind, rows, rows.length * 256);
    },
    importAll: (rows, rowsAStatement) =>
      database.writer!.slice(async (session) => {
        let stored = 0;
        for (let at = 0; at < rows.length; at += rowsAStatement)
          stored += await insert(session, rows.slice(at, at + rowsAStatement));
        return stored;
      }),
    ...createPackageFinder(reads),
    packageRows: (keys) => rowsOfPackages(readerOf(reads), keys),
    publish: ({ groups, decide: decideRows }) =>
      database.writer!.slice(async (session) => {
        await session.exec(LOCK);
        let stored = 0;
        for await (const group of groups()) {
          const found = await rowsOfPackages(session, group);
          const wanted = group.flatMap(({ version, pkgarch, rows }, i) =>
            decideRows({ version, pkgarch, rows }, found[i]!).map((row) => ({ version, pkgarch, ...row })),
          );
          if (wanted.length > 0) stored += await insert(session, wanted);
        }
        return stored;
      }, PUBLISH_MS),
    async countRows(filter) {
      const { where, params } = conditionOf(filter);
      const rows = await reads.read<{ n: number }>(
        { name: '', text: `SELECT count(*)::int AS n FROM prmain ${where}` },
        params,
      );
      return rows[0]!.n;
    },
    async countAll() {
      return (await reads.read<{ n: number }>({ name: '', text: 'SELECT count(*)::int AS n FROM prmain' }))[0]!.n;
    },
    removeRows: (filter) => {
      const { where, params } = conditionOf(filter);
      return database.writer!.slice((session) =>
        session.run({ name: '', text: `DELETE FROM prmain ${where}` }, params),
      );
    },
    async page(filter, after, limit) {
      const page: PrRow[] = [];
      for (let from = after; ; ) {
        const wanted = limit - page.length;
        const rows = await readPage(reads, filter, from, wanted);
        for (const row of rows) {
          if (isCountable(row.value)) page.push(row);
          else bad(row);
        }
        // A short page means the end to the caller, so skipped rows are replaced by further ones.
        if (rows.length < wanted || page.length === limit) return page;
        from = rows.at(-1)!;
      }
    },
    columns: async () => COLUMN_INFO,
  };
}

const insert = (session: Session, rows: readonly PrRow[]) => session.run(INSERT, columnsOf(rows));

/** Decides from what is stored; of packages with very many rows only what is needed is read. */
async function decide<T>(
  reader: Reader,
  requests: readonly PrRequest[],
  bad: (row: PrRow) => void,
  make: (rows: (key: string) => PackageRows, missing: Missing) => T,
): Promise<T> {
  const keys = [...new Map(requests.map((request) => [packageKey(request), request])).values()];
  const found = await readPackages(reader, keys, bad);
  const packages = new Map(keys.map((key, i) => [packageKey(key), found[i]!]));
  for (;;) {
    const missing: Missing = { checksums: [], prefixes: [] };
    const made = make((key) => packages.get(key)!, missing);
    if (missing.checksums.length === 0 && missing.prefixes.length === 0) return made;
    const known = await valuesOf(reader, missing.checksums);
    for (const [i, key] of missing.checksums.entries()) {
      const values = known[i]!;
      learnValues(packages.get(packageKey(key))!, key.checksum, values.smallest === null ? null : values);
    }
    const under = await largestUnderOf(reader, missing.prefixes);
    for (const [i, key] of missing.prefixes.entries())
      learnUnder(packages.get(packageKey(key))!, key.prefix, under[i]!);
  }
}

/** Byte by byte, whatever the language of the database: pages must follow each other in one order. */
const ORDERED = COLUMNS.map((column) => `${column} COLLATE "C"`).join(', ');

function readPage(pool: ConnectionPool, filter: PrFilter, after: PrRow | null, limit: number): Promise<PrRow[]> {
  const conditions: string[] = [];
  const params: unknown[] = [];
  for (const column of ['version', 'pkgarch', 'checksum'] as const) {
    if (filter[column] !== null) conditions.push(`${column} = $${params.push(filter[column])}`);
  }
  if (after) {
    const bound = COLUMNS.map((column) => `$${params.push(after[column])}`);
    conditions.push(`(${ORDERED}) > (${bound.join(', ')})`);
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const text = `SELECT version, pkgarch, checksum, value FROM prmain ${where} ORDER BY ${ORDERED} LIMIT ${limit}`;
  return pool.read<PrRow>({ name: '', text }, params);
}

function conditionOf(filter: RowFilter): { where: string; params: unknown[] } {
  const columns = COLUMNS.filter((column) => filter[column] !== null);
  // An empty filter would mean every row.
  if (columns.length === 0) return { where: 'WHERE false', params: [] };
  return {
    where: `WHERE ${columns.map((column, i) => `${column} = $${i + 1}`).join(' AND ')}`,
    params: columns.map((column) => filter[column]),
  };
}
