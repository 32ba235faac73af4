import { errorText, StorageError } from '../../../errors.ts';
import type { Binding } from '../engine/binding.ts';
import { patiently } from '../engine/connections.ts';
import { openToLook } from './look.ts';

/** What a check found. */
export interface FileReport {
  readonly file: string;
  /** `hash equivalence`, `PR`, both, or none when it is no database of ours. */
  readonly services: readonly string[];
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What is wrong: the file cannot be trusted, or holds rows that no server answers from. */
  readonly problems: readonly string[];
  /** Whether the file itself is damaged, or lacks tables or columns: no server could use it. */
  readonly isUnusable: boolean;
  /** What is worth knowing and harms nothing. */
  readonly notes: readonly string[];
}

/** The columns a table must have (docs/protocol.md, "The database files"). */
const TABLES: Readonly<Record<string, { readonly service: string; readonly columns: readonly string[] }>> = {
  unihashes_v3: { service: 'hash equivalence', columns: ['id', 'method', 'taskhash', 'unihash', 'gc_mark'] },
  outhashes_v2: {
    service: 'hash equivalence',
    columns: ['id', 'method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'],
  },
  users: { service: 'hash equivalence', columns: ['id', 'username', 'token', 'permissions'] },
  config: { service: 'hash equivalence', columns: ['id', 'name', 'value'] },
  PRMAIN: { service: 'PR', columns: ['version', 'pkgarch', 'checksum', 'value'] },
};

/** Rows that break a rule: how to find them, and how to show one. */
const RULES = [
  {
    table: 'unihashes_v3',
    what: 'unihashes that are not 64 lower-case hex digits',
    where: `typeof(unihash) <> 'text' OR length(unihash) <> 64 OR unihash GLOB '*[^0-9a-f]*'`,
    show: `method || ' ' || taskhash`,
    isProblem: true,
  },
  {
    table: 'PRMAIN',
    what: 'PR values that do not count',
    where: `typeof(value) <> 'text' OR value = '' OR length(value) > 1024 OR value GLOB '*[^0-9.]*'
      OR value GLOB '.*' OR value GLOB '*.' OR value GLOB '*..*'`,
    show: `version || ' ' || pkgarch || ' ' || coalesce(value, 'NULL')`,
    isProblem: true,
  },
  {
    table: 'outhashes_v2',
    what: 'outhash rows whose task has no unihash; "bakeserv-hashclient clean-unused" removes them',
    where: `NOT EXISTS (SELECT 1 FROM unihashes_v3 u WHERE u.method = outhashes_v2.method AND u.taskhash = outhashes_v2.taskhash)`,
    show: `method || ' ' || taskhash`,
    isProblem: false,
  },
] as const;

/**
 * Checks a database file: SQLite's own integrity check, the tables and columns, and what our servers rely on. The file
 * is only read; it may be in use.
 * @param signal ends it when it is aborted
 * @throws StorageError when there is no such file or it cannot be read at all
 */
export async function checkFile(file: string, signal?: AbortSignal): Promise<FileReport> {
  const connection = await openToLook(file, signal);
  const faults: string[] = [];
  const badRows: string[] = [];
  const notes: string[] = [];
  const rows: Record<string, number> = {};
  const services = new Set<string>();
  try {
    const found = await patiently(() => connection.all<{ integrity_check: string }>('PRAGMA integrity_check(20)'));
    faults.push(...found.map((row) => row.integrity_check).filter((text) => text !== 'ok'));
    for (const [table, { service, columns }] of Object.entries(TABLES)) {
      const there = await connection.all<{ name: string }>('SELECT name FROM pragma_table_info(?)', [table]);
      if (there.length === 0) continue;
      services.add(service);
      const missing = columns.filter((column) => !there.some(({ name }) => name === column));
      if (missing.length > 0) faults.push(`the table ${table} has no column ${missing.join(', ')}`);
      const [counted] = await connection.all<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`);
      rows[table] = counted!.rows;
      if (missing.length === 0) await applyRules(connection, table, badRows, notes);
    }
    if (services.size === 0) faults.push('it has no table of a hash equivalence or PR server');
    for (const [table, { service }] of Object.entries(TABLES))
      if (services.has(service) && !(table in rows)) faults.push(`the table ${table} is missing`);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'storage-corrupt') throw error;
    faults.push(errorText(error.cause ?? error));
  } finally {
    await connection.close();
  }
  const problems = [...faults, ...badRows];
  return { file, services: [...services], rows, problems, isUnusable: faults.length > 0, notes };
}

const EXAMPLES = 3;

async function applyRules(connection: Binding, table: string, problems: string[], notes: string[]): Promise<void> {
  for (const { what, where, show, isProblem } of RULES.filter((rule) => rule.table === table)) {
    const [counted] = await connection.all<{ count: number }>(`SELECT count(*) AS count FROM ${table} WHERE ${where}`);
    if (counted!.count === 0) continue;
    const examples = await connection.all<{ shown: unknown }>(
      `SELECT ${show} AS shown FROM ${table} WHERE ${where} LIMIT ${EXAMPLES}`,
    );
    const list = examples.map(({ shown }) => JSON.stringify(String(shown).slice(0, 120))).join(', ');
    (isProblem ? problems : notes).push(`${counted!.count} ${what}: ${list}${counted!.count > EXAMPLES ? ', …' : ''}`);
  }
}
