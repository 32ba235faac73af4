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
} from '../../../prserv/store.ts';
import { createBatcher } from '../engine/batcher.ts';
import type { Binding, Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import type { WriteKind } from '../engine/submissions.ts';
import { decideAll, type Missing } from './decision.ts';
import {
  addRow,
  createPackageCache,
  learnUnder,
  learnValues,
  noRows,
  type PackageCache,
  type PackageRows,
  packageKey,
} from './package-cache.ts';
import {
  distinct,
  EXTREMES_OF_CHECKSUMS,
  EXTREMES_OF_PACKAGES,
  LARGEST_UNDER,
  MAX_LISTED_ROWS,
  PACKAGE_ROWS,
  PACKAGES_A_STATEMENT,
  readExtremes,
  readSortable,
} from './queries.ts';
import { createPrRowStore } from './row-store.ts';
import { PR_SCHEMA } from './schema.ts';

const ROWS = 'SELECT q.value->>0, q.value->>1, q.value->>2, q.value->>3 FROM json_each(?) q';

const INSERT = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS} WHERE true
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

/**
 * Inserts only if no other connection has committed since the given version: what the rows were decided from is then
 * still valid. The subquery is evaluated under the write lock, which a writing statement takes as it starts.
 */
const INSERT_IF_UNCHANGED = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS}
  WHERE (SELECT data_version FROM pragma_data_version) = ?
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

const DATA_VERSION = 'SELECT data_version FROM pragma_data_version';

/** The PR store on SQLite. Adds its table to the database; throws StorageError when it cannot. */
export async function createPrStore(database: Database, log: Logger): Promise<PrStore> {
  await database.addSchema(PR_SCHEMA);
  const cache = createPackageCache();
  /** The data_version at which the cache was filled; null when the cache must not be used. */
  let cacheVersion: number | null = null;
  let cacheOf: Binding | null = null;
  let warned = false;

  const warnOfBadRow = (row: Partial<PrRow>) => {
    if (warned) return;
    warned = true;
    log.warn('PRMAIN holds values that are not dotted integers; such rows are skipped', {
      example: JSON.stringify(row).slice(0, 200),
    });
  };

  const warnOfBad = (key: PackageKey, bad: string | null) => {
    if (bad !== null) warnOfBadRow({ ...key, checksum: bad });
  };

  /** The result of `query` for each key, with a few keys a statement, so that each statement is short. */
  async function tell<Row>(connection: Binding, query: string, keys: readonly (readonly string[])[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (let at = 0; at < keys.length; at += PACKAGES_A_STATEMENT) {
      const some = JSON.stringify(keys.slice(at, at + PACKAGES_A_STATEMENT));
      rows.push(...(await database.read<Row>(connection, query, [some])));
    }
    return rows;
  }

  async function extremes<Key extends PackageKey>(connection: Binding, query: string, keys: readonly Key[]) {
    const { asked, spread } = distinct(keys);
    const told = (await tell<{ list: string }>(connection, query, asked)).map(({ list }) => readExtremes(list));
    for (const [i, { bad }] of told.entries()) warnOfBad({ version: asked[i]![0]!, pkgarch: asked[i]![1]! }, bad);
    return spread(told).map(({ known }) => known);
  }

  /** Loads into `packages` what is needed and missing there. */
  async function load(connection: Binding, keys: readonly PackageKey[], packages: PackageCache): Promise<void> {
    const { asked } = distinct(
      keys.filter((key) => !packages.has(packageKey(key))).map(({ version, pkgarch }) => ({ version, pkgarch })),
    );
    if (asked.length === 0) return;
    const large: PackageKey[] = [];
    // A text for each package: a row object for each of its values would be many times larger.
    for (const [i, { list }] of (await tell<{ list: string }>(connection, PACKAGE_ROWS, asked)).entries()) {
      const key = { version: asked[i]![0]!, pkgarch: asked[i]![1]! };
      const listed = JSON.parse(list) as [string, string][];
      if (listed.length > MAX_LISTED_ROWS) large.push(key);
      else packages.set(packageKey(key), toRows(key, listed));
    }
    for (const [i, known] of (await extremes(connection, EXTREMES_OF_PACKAGES, large)).entries())
      packages.set(packageKey(large[i]!), { ...noRows(false), max: known?.largest ?? null });
  }

  function toRows(key: PackageKey, listed: readonly [string, string][]): PackageRows {
    const rows = noRows();
    for (const [checksum, value] of listed) {
      if (isCountable(value)) addRow(rows, checksum, value);
      else warnOfBadRow({ ...key, checksum, value });
    }
    return rows;
  }

  /** Decides from what is in `packages`, after loading what is missing there. */
  async function decide<T>(
    connection: Binding,
    packages: PackageCache,
    requests: readonly PrRequest[],
    make: (rows: (key: string) => PackageRows, missing: Missing) => T,
  ): Promise<T> {
    await load(connection, requests, packages);
    for (;;) {
      const missing: Missing = { checksums: [], prefixes: [] };
      const made = make((key) => packages.get(key)!, missing);
      if (missing.checksums.length === 0 && missing.prefixes.length === 0) return made;
      // For a package with very many rows, only what is needed is looked up, by its key, and kept.
      const known = await extremes(connection, EXTREMES_OF_CHECKSUMS, missing.checksums);
      for (const [i, key] of missing.checksums.entries())
        packages.change(packageKey(key), (rows) => learnValues(rows, key.checksum, known[i]!));
      const asked = missing.prefixes.map(({ version, pkgarch, prefix }) => [version, pkgarch, prefix]);
      const under = await tell<{ sortable: string | null }>(connection, LARGEST_UNDER, asked);
      for (const [i, key] of missing.prefixes.entries())
        packages.change(packageKey(key), (rows) => learnUnder(rows, key.prefix, readSortable(under[i]!.sortable)));
    }
  }

  const insert = (connection: Binding, rows: readonly PrRow[]) => connection.run(INSERT, [encodeRows(rows)]);

  /**
   * One thread hop: decides from memory, then inserts on the condition that nobody else has committed meanwhile.
   * If somebody has, it does nothing and returns null.
   */
  async function getPrAlone(connection: Binding, requests: readonly PrRequest[]): Promise<readonly PrAnswer[] | null> {
    cache.trim();
    // Versions of different connections cannot be compared.
    if (cacheOf !== connection) forget();
    cacheOf = connection;
    if (cacheVersion === null)
      cacheVersion = (await connection.all<{ data_version: number }>(DATA_VERSION))[0]!.data_version;
    const decided = await decide(connection, cache, requests, (rows, missing) => decideAll(requests, rows, missing));
    const unchanged =
      decided.rows.length > 0
        ? (await connection.run(INSERT_IF_UNCHANGED, [encodeRows(decided.rows), cacheVersion])) > 0
        : (await connection.all<{ data_version: number }>(DATA_VERSION))[0]!.data_version === cacheVersion;
    if (!unchanged) return forget();
    for (const row of decided.rows) cache.add(row);
    return decided.values;
  }

  function forget(): null {
    cache.clear();
    cacheVersion = null;
    return null;
  }

  const getPrKind: WriteKind<PrRequest, PrAnswer> = {
    async applyAlone(connection, requests) {
      try {
        return await getPrAlone(connection, requests);
      } catch (error) {
        forget();
        throw error;
      }
    },
    async apply(connection, requests) {
      // This transaction may still be rolled back: nothing read here is kept in memory.
      forget();
      const decided = await decide(connection, createPackageCache(), requests, (rows, missing) =>
        decideAll(requests, rows, missing),
      );
      await insert(connection, decided.rows);
      return decided.values;
    },
  };

  const importKind: WriteKind<PrRow, undefined> = {
    async apply(connection, rows) {
      forget();
      await insert(connection, rows);
      return [];
    },
  };
  // A single writing statement needs no transaction around it.
  const importAlone = { ...importKind, applyAlone: importKind.apply };

  const lookupValues = createBatcher(
    (keys: readonly ChecksumKey[]) => extremes(database.reads, EXTREMES_OF_CHECKSUMS, keys),
    (found) =>
      found.map((known) => {
        if (!known) return [];
        return known.smallest === known.largest ? [known.largest] : [known.smallest, known.largest];
      }),
  );

  const lookupMaxima = createBatcher(
    (keys: readonly PackageKey[]) => extremes(database.reads, EXTREMES_OF_PACKAGES, keys),
    (found) => found.map((known) => known?.largest ?? null),
  );

  // Each by itself: nothing is stored, so the second of two new checksums gets the same value (docs/protocol.md).
  const peekPr = (requests: readonly PrRequest[]): Promise<readonly PrAnswer[]> =>
    decide(database.reads, createPackageCache(), requests, (rows, missing) =>
      requests.map((request) => decideAll([request], rows, missing).values[0]!),
    );

  async function readPage(filter: PrFilter, after: PrRow | null, limit: number): Promise<PrRow[]> {
    const conditions: string[] = [];
    const params: Param[] = [];
    for (const column of ['version', 'pkgarch', 'checksum'] as const) {
      if (filter[column] === null) continue;
      conditions.push(`${column} = ?`);
      params.push(filter[column]);
    }
    if (after) {
      conditions.push('(version, pkgarch, checksum, value) > (?, ?, ?, ?)');
      // Other programs' files may contain NULL, which compares with nothing; it sorts before the empty text.
      params.push(after.version, after.pkgarch, after.checksum, after.value ?? '');
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const sql = `SELECT version, pkgarch, checksum, value FROM PRMAIN ${where} ORDER BY version, pkgarch, checksum, value LIMIT ${limit}`;
    return database.read<PrRow>(database.maintenance, sql, params);
  }

  return {
    ...createPrRowStore(database, INSERT, forget),
    readOnly: database.readOnly,
    async getPr(requests) {
      if (!database.writer) return peekPr(requests);
      return database.writer.submit(getPrKind, requests, requests.length * 256);
    },
    peekPr,
    values: (keys) => lookupValues.get(keys),
    maxima: (keys) => lookupMaxima.get(keys),
    async importRows(rows) {
      await database.writer!.submit(importAlone, rows, rows.length * 256);
    },
    async page(filter, after, limit) {
      const page: PrRow[] = [];
      for (let from = after; ; ) {
        const wanted = limit - page.length;
        const rows = await readPage(filter, from, wanted);
        for (const row of rows) {
          if (isCountable(row.value)) page.push(row);
          else warnOfBadRow(row);
        }
        // A short page means the end to the caller, so skipped rows are replaced by further ones.
        if (rows.length < wanted || page.length === limit) return page;
        from = rows.at(-1)!;
      }
    },
    columns: () =>
      database.read<ColumnInfo>(
        database.reads,
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(\'PRMAIN\')',
      ),
  };
}

function encodeRows(rows: readonly PrRow[]): string {
  return JSON.stringify(rows.map(({ version, pkgarch, checksum, value }) => [version, pkgarch, checksum, value]));
}
