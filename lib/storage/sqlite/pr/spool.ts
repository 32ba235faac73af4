import type { PrSpool } from '../../../prserv/pull/spool.ts';
import type { PackageGroup, PrRow } from '../../../prserv/store.ts';
import { type Binding, openBinding } from '../engine/binding.ts';
import { encodeRows } from './insert.ts';

/** Rows that are read at a time, and so many more as their last package has. */
const GROUP_ROWS = 1000;
/** What is above this goes to the disk. */
const CACHE_KIB = 8 * 1024;

const SET_UP = `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -${CACHE_KIB};
CREATE TABLE spool (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (version, pkgarch, checksum, value)) WITHOUT ROWID`;

const ADD = `INSERT INTO spool SELECT q.value->>0, q.value->>1, q.value->>2, q.value->>3 FROM json_each(?) q WHERE true
  ON CONFLICT DO NOTHING`;

const PAGE = `SELECT version, pkgarch, checksum, value FROM spool
  WHERE (version, pkgarch, checksum, value) > (?, ?, ?, ?) ORDER BY version, pkgarch, checksum, value LIMIT ${GROUP_ROWS}`;

const REMOVE = `DELETE FROM spool WHERE (version, pkgarch) IN (SELECT q.value->>0, q.value->>1 FROM json_each(?) q)`;

/** A database that SQLite keeps in a file without a name, in memory as long as it is small: a kill leaves nothing behind. */
export async function openPrSpool(): Promise<PrSpool> {
  const binding = await openBinding('', 'create');
  try {
    await binding.exec(SET_UP);
  } catch (error) {
    await binding.close();
    throw error;
  }
  return {
    async add(rows) {
      await binding.run(ADD, [encodeRows(rows)]);
    },
    groups: () => groupsIn(binding),
    async remove(packages) {
      await binding.run(REMOVE, [JSON.stringify(packages.map(({ version, pkgarch }) => [version, pkgarch]))]);
    },
    close: () => binding.close(),
  };
}

async function* groupsIn(binding: Binding): AsyncGenerator<readonly PackageGroup[]> {
  let after: PrRow = { version: '', pkgarch: '', checksum: '', value: '' };
  let whole: { version: string; pkgarch: string; rows: PrRow[] }[] = [];
  for (;;) {
    const { version, pkgarch, checksum, value } = after;
    const page = await binding.all<PrRow>(PAGE, [version, pkgarch, checksum, value]);
    for (const row of page) {
      const last = whole.at(-1);
      if (last && last.version === row.version && last.pkgarch === row.pkgarch) last.rows.push(row);
      else whole.push({ version: row.version, pkgarch: row.pkgarch, rows: [row] });
    }
    if (page.length < GROUP_ROWS) break;
    after = page.at(-1)!;
    // The last package may have further rows.
    const open = whole.pop()!;
    if (whole.length > 0) yield whole;
    whole = [open];
  }
  if (whole.length > 0) yield whole;
}
