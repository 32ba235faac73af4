import type { Logger } from '../../../log.ts';
import { isCountable } from '../../../prserv/revision.ts';
import type { ColumnInfo, PrAnswer, PrFilter, PrRequest, PrRow, PrStore } from '../../../prserv/store.ts';
import { KnownPackages } from '../../memory/known-packages.ts';
import { noRows, type PackageRows } from '../../memory/package-rows.ts';
import { decideAll, type Missing } from '../../memory/pr-decision.ts';
import type { Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import { createFreshness } from '../engine/freshness.ts';
import type { WriteKind } from '../engine/submissions.ts';
import { decide } from './decide.ts';
import { createGetPr } from './get-pr-writes.ts';
import { encodeRows, INSERT } from './insert.ts';
import { openInsightRows } from './insight-rows.ts';
import { createNoteMoment, createStoredAfter } from './moments.ts';
import { createPackageFinder } from './package-finder.ts';
import { createPackageLookup } from './package-lookup.ts';
import { createPackageReader } from './package-reader.ts';
import { createPrRowStore } from './row-store.ts';
import { PR_SCHEMA } from './schema.ts';

/** For so long after another process has written, all is asked of the database: it may write again and again. */
const QUIET_MS = 1000;
/** What is known of a package that is not in memory. */
const UNKNOWN: PackageRows = noRows(false);

/** The PR store on SQLite. Adds its table to the database; throws StorageError when it cannot. */
export async function createPrStore(database: Database, log: Logger): Promise<PrStore> {
  await database.addSchema(PR_SCHEMA);
  const known = new KnownPackages();
  let quietFrom = 0;
  database.onForeignCommit(() => {
    quietFrom = performance.now() + QUIET_MS;
    known.forget();
  });
  const isFresh = createFreshness(database);
  const mayRely = () => isFresh() && performance.now() >= quietFrom;
  let warned = false;

  const warnOfBadRow = (row: Partial<PrRow>) => {
    if (warned) return;
    warned = true;
    log.warn('PRMAIN holds values that are not dotted integers; such rows are skipped', {
      example: JSON.stringify(row).slice(0, 200),
    });
  };
  const reader = createPackageReader(database, warnOfBadRow);
  const lookup = createPackageLookup(database, reader, known, mayRely);
  const store = database.writer && createGetPr(database.writer, reader, known);

  const importKind: WriteKind<PrRow, undefined> = {
    async apply(connection, rows) {
      known.forget();
      await connection.run(INSERT, [encodeRows(rows)]);
      return [];
    },
  };
  // A single writing statement needs no transaction around it.
  const importAlone = { ...importKind, applyAlone: importKind.apply };

  // Each by itself: nothing is stored, so the second of two new checksums gets the same value (docs/protocol.md).
  const peekAll = (requests: readonly PrRequest[], rows: (key: string) => PackageRows, missing: Missing) =>
    requests.map((request) => decideAll([request], rows, missing));

  async function peekPr(requests: readonly PrRequest[]): Promise<readonly PrAnswer[]> {
    const settled = fromMemory(requests);
    if (settled) return settled;
    const reading = known.begin();
    try {
      const relied = mayRely() ? { known, reading } : null;
      const decided = await decide(database.reads, reader, requests, relied, (rows, missing) =>
        peekAll(requests, rows, missing),
      );
      return decided.map(({ values }) => values[0]!);
    } finally {
      known.end(reading);
      known.trim();
    }
  }

  /** Answers to requests for which nothing new must be stored, as far as is in memory; null if there is another. */
  function fromMemory(requests: readonly PrRequest[]): readonly PrAnswer[] | null {
    if (!mayRely()) return null;
    const missing: Missing = { checksums: [], prefixes: [] };
    const decided = peekAll(requests, (key) => known.get(key) ?? UNKNOWN, missing);
    const isSettled = missing.checksums.length === 0 && missing.prefixes.length === 0;
    return isSettled && decided.every(({ rows }) => rows.length === 0) ? decided.map(({ values }) => values[0]!) : null;
  }

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
    ...createPrRowStore(database, INSERT, () => known.forget()),
    ...createPackageFinder(database),
    noteMoment: createNoteMoment(database),
    storedAfter: createStoredAfter(database),
    openInsightRows: (signal) => openInsightRows(database, signal),
    readOnly: database.readOnly,
    cache: known,
    async getPr(requests) {
      if (!store) return peekPr(requests);
      // With history a known checksum keeps its value, whatever another server gives out at this moment.
      return (requests.every(({ history }) => history) && fromMemory(requests)) || store(requests);
    },
    peekPr,
    values: lookup.values,
    maxima: lookup.maxima,
    async importRows(rows) {
      try {
        await database.writer!.submit(importAlone, rows, rows.length * 256);
      } finally {
        // Others may have read meanwhile.
        known.forget();
      }
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
