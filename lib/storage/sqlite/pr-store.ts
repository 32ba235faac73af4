import { InvokeError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { decidePr } from '../../prserv/get-pr.ts';
import { isCountable, largest } from '../../prserv/revision.ts';
import type {
  ChecksumKey,
  ColumnInfo,
  PackageKey,
  PrAnswer,
  PrFilter,
  PrRequest,
  PrRow,
  PrStore,
} from '../../prserv/store.ts';
import { createBatcher } from './batcher.ts';
import type { Binding, Param } from './binding.ts';
import type { Database } from './database.ts';
import { addRow, createPackageCache, knownValues, noRows, type PackageRows, packageKey } from './package-cache.ts';
import { createPrRowStore } from './pr-row-store.ts';
import { PR_SCHEMA } from './pr-schema.ts';
import type { WriteKind } from './submissions.ts';

/** All rely on the primary key (version, pkgarch, checksum, value). */
const PACKAGE_ROWS = `
SELECT (
  SELECT json_group_array(json_array(
    CAST(p.checksum AS TEXT), CASE typeof(p.value) WHEN 'blob' THEN NULL ELSE p.value END))
  FROM PRMAIN p WHERE p.version = q.value->>0 AND p.pkgarch = q.value->>1) AS list
FROM json_each(?) q`;

const VALUES = `
SELECT q.key AS i, p.value FROM json_each(?) q
  CROSS JOIN PRMAIN p ON p.version = q.value->>0 AND p.pkgarch = q.value->>1 AND p.checksum = q.value->>2`;

const PACKAGE_VALUES = `
SELECT q.key AS i, p.value FROM json_each(?) q CROSS JOIN PRMAIN p ON p.version = q.value->>0 AND p.pkgarch = q.value->>1`;

const ROWS = 'SELECT q.value->>0, q.value->>1, q.value->>2, q.value->>3 FROM json_each(?) q';

const INSERT = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS} WHERE true
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

/**
 * Inserts only if no other connection has committed since the version given: what the rows were decided from still
 * holds then. The subquery is evaluated under the write lock, which a writing statement takes as it begins.
 */
const INSERT_IF_UNCHANGED = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS}
  WHERE (SELECT data_version FROM pragma_data_version) = ?
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

const DATA_VERSION = 'SELECT data_version FROM pragma_data_version';

/** The PR store on SQLite. Adds its table to the database; throws StorageError when it cannot. */
export async function createPrStore(database: Database, log: Logger): Promise<PrStore> {
  await database.addSchema(PR_SCHEMA);
  const cache = createPackageCache();
  /** The data_version at which the cache was filled; null when it holds nothing to rely on. */
  let cacheVersion: number | null = null;
  let cacheOf: Binding | null = null;
  let warned = false;

  const warnOfBadRow = (row: PrRow) => {
    if (warned) return;
    warned = true;
    log.warn('PRMAIN holds values that are not dotted integers; such rows are passed over', {
      example: JSON.stringify(row).slice(0, 200),
    });
  };

  const read = <Row>(connection: Binding, sql: string, keys: readonly unknown[]) =>
    database.read<Row>(connection, sql, [JSON.stringify(keys)]);

  async function loadPackages(connection: Binding, keys: readonly PackageKey[]): Promise<Map<string, PackageRows>> {
    const distinct = new Map(keys.map((key) => [packageKey(key.version, key.pkgarch), key]));
    const asked = [...distinct.values()];
    // A text for each package: a row object for each of its values, which may be thousands, would be many times as large.
    const lists = await read<{ list: string }>(
      connection,
      PACKAGE_ROWS,
      asked.map(({ version, pkgarch }) => [version, pkgarch]),
    );
    const loaded = new Map<string, PackageRows>();
    for (const [i, { version, pkgarch }] of asked.entries()) {
      const rows = noRows();
      for (const [checksum, value] of JSON.parse(lists[i]!.list) as [string, string][]) {
        if (isCountable(value)) addRow(rows, checksum, value);
        else warnOfBadRow({ version, pkgarch, checksum, value });
      }
      loaded.set(packageKey(version, pkgarch), rows);
    }
    return loaded;
  }

  const insert = (connection: Binding, rows: readonly PrRow[]) => connection.run(INSERT, [encodeRows(rows)]);

  /**
   * One hop: decides from what is in memory, then inserts on the condition that nobody else has committed meanwhile.
   * Null, and nothing done, when somebody has.
   */
  async function getPrAlone(connection: Binding, requests: readonly PrRequest[]): Promise<readonly PrAnswer[] | null> {
    cache.trim();
    // A connection's version says nothing beside that of the one it takes the place of.
    if (cacheOf !== connection) forget();
    cacheOf = connection;
    if (cacheVersion === null)
      cacheVersion = (await connection.all<{ data_version: number }>(DATA_VERSION))[0]!.data_version;
    const missing = requests.filter((request) => !cache.has(packageKey(request.version, request.pkgarch)));
    if (missing.length > 0) for (const [key, rows] of await loadPackages(connection, missing)) cache.set(key, rows);
    const decided = decideAll(requests, (key) => cache.get(key)!);
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
      // Rows of this transaction may yet be rolled back: nothing read here is kept in memory.
      forget();
      const packages = await loadPackages(connection, requests);
      const decided = decideAll(requests, (key) => packages.get(key)!);
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
  // One writing statement: no transaction needs to be put around it.
  const importAlone = { ...importKind, applyAlone: importKind.apply };

  const lookupValues = createBatcher(
    (keys: readonly ChecksumKey[]) =>
      read<{ i: number; value: string }>(
        database.reads,
        VALUES,
        keys.map((k) => [k.version, k.pkgarch, k.checksum]),
      ),
    (rows, keys) => {
      const found: string[][] = keys.map(() => []);
      for (const { i, value } of rows) if (isCountable(value)) found[i]!.push(value);
      return found;
    },
  );

  const lookupMaxima = createBatcher(
    (keys: readonly PackageKey[]) =>
      read<{ i: number; value: string }>(
        database.reads,
        PACKAGE_VALUES,
        keys.map((k) => [k.version, k.pkgarch]),
      ),
    (rows, keys) => {
      const found: (string | null)[] = keys.map(() => null);
      for (const { i, value } of rows) if (isCountable(value)) found[i] = largest(found[i]!, value);
      return found;
    },
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
      // Files of others may hold NULL, to which nothing compares; it sorts before the empty text.
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
      if (database.writer) return database.writer.submit(getPrKind, requests, requests.length * 256);
      // Each by itself: nothing is stored, so the second of two new checksums gets the same value (protocol.md 8.13).
      const packages = await loadPackages(database.reads, requests);
      return requests.map((request) => decideAll([request], (key) => packages.get(key)!).values[0]!);
    },
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
        // A short page means the end to whoever asked: rows passed over are made up for.
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

/**
 * Decides requests in order, each seeing what those before it were given. `packages` are left as they are: what is
 * decided lies over them until it is stored.
 */
function decideAll(
  requests: readonly PrRequest[],
  packages: (key: string) => PackageRows,
): { values: PrAnswer[]; rows: PrRow[] } {
  const values: PrAnswer[] = [];
  const rows: PrRow[] = [];
  const decided = new Map<string, PackageRows>();
  for (const { version, pkgarch, checksum, history, upstream } of requests) {
    const key = packageKey(version, pkgarch);
    const base = packages(key);
    const over = decided.get(key);
    const known = (over && knownValues(over, checksum)) ?? knownValues(base, checksum);
    // Both count: what was decided in this batch may lie below what is stored, where an upstream's value was taken.
    const largestUnder = (value: string) => largerOf(over?.under.get(value), base.under.get(value));
    const decision = decidePr({ max: over?.max ?? base.max, known, largestUnder }, history, upstream);
    if (decision && !isCountable(decision.value)) {
      // Stored, it would be passed over like any other such row, and given out again.
      values.push(tooLong(version, pkgarch, decision.value));
      continue;
    }
    values.push(decision?.value ?? null);
    if (!decision?.isNew) continue;
    const row = { version, pkgarch, checksum, value: decision.value };
    rows.push(row);
    const next = over ?? { ...noRows(), max: base.max };
    if (known && !next.checksums.has(checksum)) next.checksums.set(checksum, known);
    addRow(next, checksum, row.value);
    decided.set(key, next);
  }
  return { values, rows };
}

function largerOf(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function tooLong(version: string, pkgarch: string, value: string): InvokeError {
  return new InvokeError(
    `get-pr: the next value of ${version} ${pkgarch} would be ${value.slice(0, 40)}… (${value.length} characters), which is too long to count on from: give the package another version`,
  );
}
