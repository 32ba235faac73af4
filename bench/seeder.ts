/**
 * Seeds a new database file: `node --import tsx bench/seeder.ts FILE HASHES CACHE_KIB [outhashes]`; prints how many
 * hashes are done.
 */
import { SILENT } from '../lib/log.ts';
import { openBinding } from '../lib/storage/sqlite/engine/binding.ts';
import { HASH_SCHEMA } from '../lib/storage/sqlite/hash/schema.ts';
import { METHOD, OUTHASH, TASKHASH, UNIHASH, writeHash } from './keys.ts';

const ROWS_A_STATEMENT = 10_000;
const HASHES_A_ROW = 3;

/** What a report without its optional fields leaves: BitBake sends those only when asked to. */
const INSERT_UNIHASHES = `
INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
  SELECT '${METHOD}', substr(value, 1, 64), substr(value, 65, 64), '' FROM json_each(?)`;
const INSERT_OUTHASHES = `
INSERT INTO outhashes_v2 (method, taskhash, outhash, created)
  SELECT '${METHOD}', substr(value, 1, 64), substr(value, 129, 64), ? FROM json_each(?)`;

async function seed(file: string, hashes: number, cacheKib: number, outhashes: boolean): Promise<void> {
  const connection = await openBinding(file, 'create');
  // A crash leaves a .part file that nobody uses: nothing needs a journal or a sync. The whole file stays in memory
  // until its end, else every row would read and write about six random pages.
  await connection.exec(
    `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -${cacheKib}`,
  );
  await HASH_SCHEMA.migrate(connection, SILENT);
  await connection.exec('BEGIN');
  for (let first = 0; first < hashes; first += ROWS_A_STATEMENT) {
    process.stdout.write(`${first}\n`);
    const rows = rowsJson(first, Math.min(ROWS_A_STATEMENT, hashes - first));
    const created = new Date(Date.UTC(2024, 0, 1) + first * 10).toISOString().replace('Z', '000+00:00');
    await connection.run(INSERT_UNIHASHES, [rows]);
    if (outhashes) await connection.run(INSERT_OUTHASHES, [created, rows]);
  }
  await connection.exec('COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL');
  await connection.close();
}

/** A JSON list of texts, each the taskhash, unihash and outhash of a key end to end. */
function rowsJson(first: number, count: number): string {
  const width = HASHES_A_ROW * 64 + 3;
  const out = Buffer.alloc(1 + count * width, '"');
  out[0] = '['.charCodeAt(0);
  for (let i = 0; i < count; i++) {
    const at = 2 + i * width;
    writeHash(out, at, first + i, TASKHASH);
    writeHash(out, at + 64, first + i, UNIHASH);
    writeHash(out, at + 128, first + i, OUTHASH);
    out[at + 193] = ','.charCodeAt(0);
  }
  out[out.length - 1] = ']'.charCodeAt(0);
  return out.toString('latin1');
}

const [file, hashes, cacheKib, outhashes] = process.argv.slice(2);
await seed(file!, Number(hashes), Number(cacheKib), outhashes === 'outhashes');
