import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { exportedPages, FIRST_PLACE } from '../../lib/hashserv/files/rows-file.ts';
import type { HashStore } from '../../lib/hashserv/store.ts';
import type { JobKind } from '../../lib/jobs/kind.ts';
import { SILENT } from '../../lib/log.ts';
import { formatDump } from '../../lib/prserv/files/bitbake-dump.ts';
import { loadCsvFormat } from '../../lib/prserv/files/csv.ts';
import type { Format } from '../../lib/prserv/files/formats.ts';
import type { PrRow, PrStore } from '../../lib/prserv/store.ts';
import { pullKind } from '../../lib/pull/kind.ts';
import type { PullParameters } from '../../lib/pull/parameters.ts';
import type { PullParts } from '../../lib/pull/parts.ts';
import { openDatabaseSource } from '../../lib/server.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { openTaskIndex } from '../../lib/storage/sqlite/hash/task-index.ts';
import { openTaskSpool } from '../../lib/storage/sqlite/hash/task-spool.ts';
import { openPrSpool } from '../../lib/storage/sqlite/pr/spool.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { servicesIn } from '../../lib/storage/sqlite/upkeep/look.ts';
import type { Row } from '../../lib/transfer/parts.ts';
import { hash, METHOD } from './helpers.ts';

/** The databases of a server that pulls. */
export interface PullTarget {
  readonly database: string;
  readonly hashes: HashStore;
  readonly prs: PrStore;
  close(): Promise<void>;
}

export async function openFileTarget(file: string): Promise<PullTarget> {
  const onFatal = (error: Error) => assert.fail(error);
  const sync = { kind: 'on_shutdown' } as const;
  const database = await openDatabase({ file, readOnly: false, init: false, syncMode: sync, log: SILENT, onFatal });
  const hashes = await createHashStore({ database, cacheBytes: 0, log: SILENT });
  return {
    database: file,
    hashes,
    prs: await createPrStore(database, SILENT),
    close: () => database.close(1000),
  };
}

/** Runs a pull to its end, as its job does. @throws what the job would fail with */
export const runPull = (target: PullTarget, parameters: PullParameters): Promise<Json> =>
  runKind(target, pullKind, parameters);

/** Runs a job that takes rows to its end. @throws what it would fail with */
export async function runKind<Parameters>(
  { database, hashes, prs }: PullTarget,
  kindOf: (parts: PullParts) => JobKind<Parameters>,
  parameters: Parameters,
): Promise<Json> {
  const { signal } = new AbortController();
  const kind = kindOf({
    hashes: { store: hashes, database, onStored: () => {} },
    prs: { store: prs, database },
    openSpool: openPrSpool,
    openTaskSpool,
    openTaskIndex,
    databases: { open: (name) => openDatabaseSource(name, SILENT), servicesIn, own: [] },
    trust: { caFile: null, certFile: null, keyFile: null },
  });
  kind.check?.(parameters);
  const steps = kind.run({ id: 1, parameters, signal, note: () => {} }, null);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

/** All that a server has, each table in the order of its rows' texts. */
export async function contentOf({ hashes, prs }: PullTarget): Promise<Record<string, string[]>> {
  const rowsOf = async (table: 'unihashes' | 'outhashes') =>
    (await hashes.exportRows(table, 0, 10_000, 1 << 24)).rows.map((row) => JSON.stringify(row)).sort();
  const values = await prs.page({ version: null, pkgarch: null, checksum: null }, null, 10_000);
  return {
    unihashes: await rowsOf('unihashes'),
    outhashes: await rowsOf('outhashes'),
    values: values.map((row) => JSON.stringify(Object.values(row))).sort(),
  };
}

/** What a source has. */
export interface Contents {
  readonly unihashes: readonly Row[];
  readonly outhashes: readonly Row[];
  readonly values: readonly Row[];
}

const METHODS = [METHOD, 'other'];
const RECIPES = ['busybox', 'bash', 'zlib', null];
/** Few, so that most tasks that were reported have a unihash. */
const task = fc.record({ n: fc.nat(9), method: fc.constantFrom(...METHODS) });
const unihashRow = fc
  .tuple(task, fc.oneof({ weight: 9, arbitrary: fc.nat(20).map(hash) }, fc.constant('no unihash')))
  .map(([{ n, method }, unihash]): Row => [method, hash(n), unihash, '']);
const outhashRow = fc
  .tuple(
    task,
    fc.nat(20),
    fc.nat(8),
    fc.constantFrom(...RECIPES),
    fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
  )
  .map(
    ([{ n, method }, out, day, PN, siginfo]): Row => [
      ...[method, hash(n), hash(1000 + out), `2026-11-1${day}T12:00:00.000000+00:00`, null, PN, '1.0', 'r0', 'do_x'],
      siginfo?.replaceAll('\0', '') ?? null,
    ],
  );
const valueRow = fc
  .tuple(
    fc.constantFrom('busybox-1.36-r0', 'bash-5.2-r0', 'zlib-1.3-r0'),
    fc.constantFrom('core2-64', 'all'),
    fc.nat(9),
  )
  .map(([version, pkgarch, n]): Row => [version, pkgarch, `sum${n}`, String(n)]);

/** Contents of any server, each key once. */
export const anyContents: fc.Arbitrary<Contents> = fc.record({
  unihashes: fc.uniqueArray(unihashRow, { minLength: 10, maxLength: 18, selector: (row) => row.slice(0, 2).join(' ') }),
  outhashes: fc.uniqueArray(outhashRow, { minLength: 10, maxLength: 40, selector: (row) => row.slice(0, 3).join(' ') }),
  values: fc.uniqueArray(valueRow, { maxLength: 30, selector: (row) => row.join(' ') }),
});

/** Which rows are asked for. */
export const anySelection: fc.Arbitrary<Partial<PullParameters>> = fc.constantFrom<Partial<PullParameters>>(
  {},
  { packages: 'b*' },
  { methods: ['other'] },
  { since: '2026-11-14' },
  { packages: 'zlib', methods: [METHOD], pkgarch: 'all' },
);

/** Writes what `bakeserv-hashclient export` does. */
export async function writeHashExport(file: string, { unihashes, outhashes }: Contents): Promise<string> {
  const tables = { unihashes: unihashes.map((row) => row.slice(0, 3)), outhashes };
  let text = '';
  const page = async (table: 'unihashes' | 'outhashes', after: number) => {
    const rows = tables[table].slice(after, after + 7);
    return { rows, next: after + 7 < tables[table].length ? after + 7 : null };
  };
  for await (const piece of exportedPages(page, FIRST_PLACE)) text += piece.text;
  fs.writeFileSync(file, text);
  return file;
}

export const SUFFIXES: Readonly<Record<Format, string>> = { bitbake: 'inc', json: 'json', jsonl: 'jsonl', csv: 'csv' };

/** Writes what `bakeserv-prclient export --history` does. */
export async function writePrExport(folder: string, format: Format, { values }: Contents): Promise<string> {
  const rows = values.map(([version, pkgarch, checksum, value]) => ({ version, pkgarch, checksum, value }) as PrRow);
  const file = path.join(folder, `values.${SUFFIXES[format]}`);
  fs.writeFileSync(file, await textOf(rows, format));
  return file;
}

async function textOf(rows: readonly PrRow[], format: Format): Promise<string> {
  switch (format) {
    case 'bitbake':
      return `# PR values\n${[...formatDump(rows, { lockdown: false, metainfo: {} })].join('')}`;
    case 'json':
      return `{"metainfo": {"col_info": [{"name": "version"}]}, "datainfo": ${JSON.stringify(rows)}}\n`;
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case 'csv':
      return [...(await loadCsvFormat())(rows)].join('');
  }
}
