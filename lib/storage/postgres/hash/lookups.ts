import { InvokeError } from '../../../errors.ts';
import type { OuthashQuery, OuthashRow, TaskLine } from '../../../hashserv/store.ts';
import { createBatcher } from '../../memory/batcher.ts';
import { GENERATION } from '../engine/coherence.ts';
import type { ConnectionPool, Statement } from '../engine/pool.ts';
import { CREATED_TEXT } from './schema.ts';

/** As in the store on SQLite: what is longer than this is read in pieces, when its reader is ready for them. */
const INLINE_CHARACTERS = 32 * 1024;
const PIECE_CHARACTERS = 256 * 1024;

/** What streams can answer: one byte a character, one line an answer. */
const PLAIN = /^[ -~]+$/;

/** One text, a line for each key: a row for each would cost more than the look-up. */
const UNIHASHES: Statement = {
  name: 'bakeserv-unihashes',
  text: `SELECT ${GENERATION} AS generation, string_agg(coalesce((
      SELECT replace(u.unihash, E'\\n', ' ') FROM unihashes_v3 u WHERE u.method = q.m AND u.taskhash = q.t), ''), E'\\n' ORDER BY q.i) AS text
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(m, t, i)`,
};

const UNIHASH: Statement = {
  name: 'bakeserv-unihash',
  text: 'SELECT unihash FROM unihashes_v3 WHERE method = $1 AND taskhash = $2',
};

const EXISTING: Statement = {
  name: 'bakeserv-existing',
  text: `SELECT EXISTS (SELECT 1 FROM unihashes_v3 u WHERE u.unihash = q.h) AS found
    FROM unnest($1::text[]) WITH ORDINALITY q(h, i) ORDER BY q.i`,
};

const FIELDS = `o.id, o.method, o.taskhash, o.outhash, ${CREATED_TEXT('o.created')} AS created, o.owner, o."PN", o."PV", o."PR", o.task,
    CASE WHEN length(o.outhash_siginfo) > ${INLINE_CHARACTERS} THEN NULL ELSE o.outhash_siginfo END AS outhash_siginfo,
    coalesce(length(o.outhash_siginfo) > ${INLINE_CHARACTERS}, false) AS "isLong", u.unihash, u.gc_mark`;

const OUTHASHES: Statement = {
  name: 'bakeserv-outhashes',
  text: `SELECT q.i::int - 1 AS i, ${FIELDS}
    FROM unnest($1::text[], $2::text[], $3::boolean[]) WITH ORDINALITY q(m, o, joined, i)
    JOIN outhashes_v2 o ON o.id = (
      SELECT p.id FROM outhashes_v2 p WHERE p.method = q.m AND p.outhash = q.o AND (NOT q.joined OR EXISTS (
        SELECT 1 FROM unihashes_v3 v WHERE v.method = p.method AND v.taskhash = p.taskhash))
      ORDER BY p.created, p.id LIMIT 1)
    LEFT JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash`,
};

const TASKS: Statement = {
  name: 'bakeserv-tasks',
  text: `SELECT q.i::int - 1 AS i, ${FIELDS}
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(m, t, i)
    JOIN unihashes_v3 u ON u.method = q.m AND u.taskhash = q.t
    JOIN outhashes_v2 o ON o.id = (
      SELECT p.id FROM outhashes_v2 p WHERE p.method = q.m AND p.taskhash = q.t ORDER BY p.created, p.id LIMIT 1)`,
};

const SIGINFO: Statement = {
  name: 'bakeserv-siginfo',
  text: `SELECT substr(outhash_siginfo, $1::int, ${PIECE_CHARACTERS}) AS piece FROM outhashes_v2 WHERE id = $2::int`,
};

/** What a batch of tasks was found to have, and the generation of removals that this is of. */
interface FoundLines {
  readonly generation: number;
  readonly lines: readonly string[];
}

/** @param found told of each task with a unihash, and of the generation it was read in */
export function createLookups(
  pool: ConnectionPool,
  found: (task: TaskLine, unihash: string, generation: number) => void,
) {
  const unihashes = createBatcher<TaskLine, string | null, FoundLines>(
    async (tasks) => {
      const blanks = tasks.map((task) => task.indexOf(' '));
      const [row] = await pool.read<{ generation: string; text: string }>(UNIHASHES, [
        tasks.map((task, i) => task.slice(0, blanks[i])),
        tasks.map((task, i) => task.slice(blanks[i]! + 1)),
      ]);
      return { generation: Number(row!.generation), lines: row!.text.split('\n') };
    },
    ({ generation, lines }, asked) => {
      // Slices of one fresh text: the lines that were asked are slices of whole reads, which the memory would keep alive.
      const tasks = asked.join('\n').split('\n');
      return lines.map((unihash, i) => {
        // A text that no stream can answer with, of another program, counts as a miss.
        if (!PLAIN.test(unihash)) return null;
        found(tasks[i]!, unihash, generation);
        return unihash;
      });
    },
  );

  const existing = createBatcher(
    (hashes: readonly string[]) => pool.read<{ found: boolean }>(EXISTING, [hashes]),
    (rows) => rows.map((row) => row.found),
  );

  async function look(statement: Statement, columns: readonly (readonly unknown[])[]): Promise<(OuthashRow | null)[]> {
    const rows: (OuthashRow | null)[] = new Array(columns[0]!.length).fill(null);
    for (const { i, isLong, ...row } of await pool.read<OuthashRow>(statement, columns)) {
      if (isLong as unknown) delete row.outhash_siginfo;
      rows[i as number] = row;
    }
    return rows;
  }

  const outhashes = createBatcher(
    (queries: readonly OuthashQuery[]) =>
      look(OUTHASHES, [
        queries.map(({ method }) => method),
        queries.map(({ outhash }) => outhash),
        queries.map(({ withUnihash }) => withUnihash),
      ]),
    (rows, queries) =>
      rows.map((row, i) => {
        if (!row || queries[i]!.withUnihash) return row;
        const { unihash: _, gc_mark: __, ...outhash } = row;
        return outhash;
      }),
    64,
  );

  const tasks = createBatcher(
    (keys: readonly { method: string; taskhash: string }[]) =>
      look(TASKS, [keys.map(({ method }) => method), keys.map(({ taskhash }) => taskhash)]),
    (rows) => rows,
    64,
  );

  return {
    unihashes: (lines: readonly TaskLine[]) => unihashes.get(lines),
    async unihash(method: string, taskhash: string): Promise<string | null> {
      const [row] = await pool.read<{ unihash: string }>(UNIHASH, [method, taskhash]);
      return row?.unihash ?? null;
    },
    existing: (hashes: readonly string[]) => existing.get(hashes),
    outhashes: (queries: readonly OuthashQuery[]) => outhashes.get(queries),
    tasks: (keys: readonly { method: string; taskhash: string }[]) => tasks.get(keys),
    async *siginfo(id: number): AsyncIterable<string> {
      for (let from = 1; ; from += PIECE_CHARACTERS) {
        const [row] = await pool.read<{ piece: string | null }>(SIGINFO, [from, id]);
        if (!row) throw new InvokeError('the row was removed while its outhash_siginfo was read');
        if (!row.piece) return;
        yield row.piece;
      }
    },
  };
}
