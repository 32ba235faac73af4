import type { PrStore } from '../../../prserv/store.ts';
import type { ConnectionPool, Statement } from '../engine/pool.ts';
import type { Writer } from '../engine/writer.ts';
import { columnsOf } from './columns.ts';

/**
 * Rows get the time they were stored from the database, in a column of their own that nothing else reads: a default costs the
 * one who inserts nothing. It is added late, and not with the table: a server that may not change tables works without.
 */
export const HAS_TIMES: Statement = {
  name: 'bakeserv-pr-has-stored',
  text: `SELECT 1 AS there FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = 'prmain' AND column_name = 'stored'`,
};
/** Rows that are there get no time. Whoever reads the table at that moment is waited for, but not long, as all others would wait too. */
const ADD_TIMES = [
  "SET LOCAL lock_timeout = '2s'",
  'ALTER TABLE prmain ADD COLUMN IF NOT EXISTS stored timestamptz',
  'ALTER TABLE prmain ALTER COLUMN stored SET DEFAULT now()',
];

/** Has rows get their times from now on; does nothing where they do. */
export function createNoteMoment(pool: ConnectionPool, writer: () => Writer): PrStore['noteMoment'] {
  return async () => {
    if ((await pool.read(HAS_TIMES)).length > 0) return;
    await writer().slice(async (session) => {
      for (const statement of ADD_TIMES) await session.exec(statement);
    });
  };
}

const TIMES: Statement = {
  name: 'bakeserv-pr-stored',
  text: `SELECT q.i::int - 1 AS i, to_char(p.stored AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS stored
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY q(v, a, c, n, i)
    JOIN prmain p ON p.version = q.v AND p.pkgarch = q.a AND p.checksum = q.c AND p.value = q.n
    WHERE p.stored IS NOT NULL`,
};

/** The beginning of the transaction that stored a row is the moment before it. */
export function createStoredAfter(pool: ConnectionPool): PrStore['storedAfter'] {
  return async (rows) => {
    const after: (string | null)[] = rows.map(() => null);
    if (rows.length === 0 || (await pool.read(HAS_TIMES)).length === 0) return after;
    const found = await pool.read<{ i: number; stored: string }>(TIMES, columnsOf(rows));
    for (const { i, stored } of found) after[i] = stored;
    return after;
  };
}
