import pg from 'pg';
import { SILENT } from '../lib/log.ts';
import { openPostgres, schemasOf } from '../lib/storage/postgres/open.ts';
import { METHOD, TASKHASH, UNIHASH, writeHash } from './keys.ts';

const ROWS_A_STATEMENT = 10_000;

/** Makes the tables in an empty database, with the hashes of the keys 0 to `hashes - 1`. */
export async function seedPostgres(address: string, hashes: number): Promise<void> {
  const schemas = schemasOf({ hashserv: true, prserv: true });
  await (await openPostgres({ address, readOnly: false, schemas, log: SILENT })).close();
  const text = `INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
    SELECT '${METHOD}', substr(h, 1, 64), substr(h, 65, 64), '' FROM unnest($1::text[]) h`;
  await withClient(address, async (client) => {
    for (let first = 0; first < hashes; first += ROWS_A_STATEMENT) {
      const count = Math.min(ROWS_A_STATEMENT, hashes - first);
      await client.query(text, [Array.from({ length: count }, (_, i) => bothOf(first + i))]);
    }
    // As autovacuum would have by now; and nothing is left to be written while something is measured.
    await client.query('VACUUM ANALYZE unihashes_v3');
    await client.query('CHECKPOINT');
  });
}

/** The taskhash and the unihash of a key. */
function bothOf(key: number): string {
  const out = Buffer.alloc(128);
  writeHash(out, 0, key, TASKHASH);
  writeHash(out, 64, key, UNIHASH);
  return out.toString('latin1');
}

/** What a database has counted. */
export interface Counted {
  readonly transactions: number;
  readonly rows: number;
  readonly connections: number;
  /** Of the write-ahead log. */
  readonly walBytes: number;
}

/** What was committed so far, and who is connected now; without the one who asks. */
export function countedBy(address: string): Promise<Counted> {
  return withClient(address, async (client) => {
    const { rows } = await client.query(
      `SELECT xact_commit::int AS transactions, tup_inserted::int AS rows, numbackends - 1 AS connections,
        (pg_current_wal_lsn() - '0/0')::float8 AS "walBytes" FROM pg_stat_database WHERE datname = current_database()`,
    );
    return rows[0];
  });
}

async function withClient<T>(address: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
