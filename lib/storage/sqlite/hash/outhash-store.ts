import { InvokeError } from '../../../errors.ts';
import type { HashStore, OuthashQuery, OuthashRow } from '../../../hashserv/store.ts';
import { createBatcher } from '../../memory/batcher.ts';
import type { Database } from '../engine/database.ts';
import { CREATED } from './schema.ts';

type OuthashMethods = Pick<HashStore, 'outhashes' | 'tasks' | 'siginfo'>;

/**
 * An outhash_siginfo up to here comes with its row, as nearly all do. A report may bring 16 MiB of it, and a batch has
 * 256 rows: what is longer is read in pieces, when its reader is ready for them. octet_length does not read the text.
 */
const INLINE_BYTES = 32 * 1024;
/** Characters of a piece. Each client that does not read holds one; but SQLite goes through the text from its beginning for each. */
const PIECE_CHARACTERS = 256 * 1024;

const FIELDS = `o.id, o.method, o.taskhash, o.outhash, o.created, o.owner, o.PN, o.PV, o.PR, o.task,
  CASE WHEN octet_length(o.outhash_siginfo) > ${INLINE_BYTES} THEN NULL ELSE o.outhash_siginfo END AS outhash_siginfo,
  octet_length(o.outhash_siginfo) > ${INLINE_BYTES} AS isLong`;

/** Relies on outhash_lookup_v3 and the UNIQUE index of unihashes_v3. A unihash that is no text counts as none. */
const OUTHASHES = `
SELECT q.key AS i, ${FIELDS}, u.unihash, u.gc_mark FROM json_each(?) q
  CROSS JOIN outhashes_v2 o ON o.id = (
    SELECT p.id FROM outhashes_v2 p WHERE p.method = q.value->>0 AND p.outhash = q.value->>1
      AND (q.value->>2 = 0 OR EXISTS (
        SELECT 1 FROM unihashes_v3 v WHERE v.method = p.method AND v.taskhash = p.taskhash AND typeof(v.unihash) = 'text'))
    ORDER BY ${CREATED('p.created')}, p.id LIMIT 1)
  LEFT JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash`;

const TASKS = `
SELECT q.key AS i, ${FIELDS}, u.unihash, u.gc_mark FROM json_each(?) q
  CROSS JOIN unihashes_v3 u ON u.method = q.value->>0 AND u.taskhash = q.value->>1 AND typeof(u.unihash) = 'text'
  CROSS JOIN outhashes_v2 o ON o.id = (
    SELECT p.id FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash
    ORDER BY ${CREATED('p.created')}, p.id LIMIT 1)`;

const SIGINFO = `
SELECT substr(outhash_siginfo, ?, ${PIECE_CHARACTERS}) AS piece FROM outhashes_v2 WHERE id = ?`;

/** Outhash rows by output and by task. */
export function createOuthashStore(database: Database): OuthashMethods {
  /** Rows of a batch in the order of their keys; a repeated key is looked up once, and its row shared. */
  async function look(sql: string, keys: readonly (readonly (string | number)[])[]): Promise<(OuthashRow | null)[]> {
    const places = new Map<string, number>();
    const asked: (readonly (string | number)[])[] = [];
    const place = keys.map((key) => {
      const joined = key.join('\0');
      const known = places.get(joined);
      if (known !== undefined) return known;
      places.set(joined, asked.length);
      return asked.push(key) - 1;
    });
    const found: (OuthashRow | null)[] = new Array(asked.length).fill(null);
    for (const { i, isLong, ...row } of await database.read<OuthashRow>(database.reads, sql, [JSON.stringify(asked)]))
      found[i as number] = shape(row, isLong === 1);
    return place.map((at) => found[at]!);
  }

  const outhashes = createBatcher(
    (queries: readonly OuthashQuery[]) =>
      look(
        OUTHASHES,
        queries.map(({ method, outhash, withUnihash }) => [method, outhash, Number(withUnihash)]),
      ),
    (found, queries) =>
      found.map((row, i) => {
        if (!row || queries[i]!.withUnihash) return row;
        const { unihash: _, gc_mark: __, ...outhash } = row;
        return outhash;
      }),
  );

  const tasks = createBatcher(
    (keys: readonly { method: string; taskhash: string }[]) =>
      look(
        TASKS,
        keys.map(({ method, taskhash }) => [method, taskhash]),
      ),
    (found) => found,
  );

  return {
    outhashes: (queries) => outhashes.get(queries),
    tasks: (keys) => tasks.get(keys),
    async *siginfo(id) {
      for (let from = 1; ; from += PIECE_CHARACTERS) {
        const [row] = await database.read<{ piece: string | null }>(database.reads, SIGINFO, [from, id]);
        if (!row) throw new InvokeError('the row was removed while its outhash_siginfo was read');
        if (!row.piece) return;
        yield row.piece;
      }
    },
  };
}

/** A row as an answer: without a siginfo that is too long, and without values that are not text in other programs' files. */
function shape(row: OuthashRow, isLong: boolean): OuthashRow {
  for (const column in row) if (typeof row[column] === 'object') row[column] = null;
  if (isLong) delete row.outhash_siginfo;
  return row;
}
