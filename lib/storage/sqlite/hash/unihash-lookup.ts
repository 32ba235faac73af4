import type { TaskLine } from '../../../hashserv/store.ts';
import type { Logger } from '../../../log.ts';
import { type Batcher, createBatcher } from '../../memory/batcher.ts';
import type { KnownUnihashes } from '../../memory/known-unihashes.ts';
import type { Database } from '../engine/database.ts';

/**
 * The unihashes of a batch as one text, a line for each key: a row for each would cost more than the look-up itself.
 * json_each yields its elements in order, and a plain scan of it aggregates in that order.
 */
const asLines = (method: string, taskhash: string, keys: string) => `
SELECT group_concat(coalesce((
  SELECT u.unihash FROM unihashes_v3 u WHERE u.method = ${method} AND u.taskhash = ${taskhash}), ''), char(10)) AS text
FROM json_each(${keys}) q`;

/** Nearly every batch has a single method. */
const UNIHASHES_OF_METHOD = asLines('?1', 'q.value', '?2');
/** Task lines of several methods, cut at their one blank. */
const UNIHASHES = asLines(
  "substr(q.value, 1, instr(q.value, ' ') - 1)",
  "substr(q.value, instr(q.value, ' ') + 1)",
  '?1',
);

/** The same for any methods, taskhashes and unihashes: `[method, taskhash]` each, as a list in JSON with null for a miss. */
export const STORED_UNIHASHES = `
SELECT json_group_array((
  SELECT CASE typeof(u.unihash) WHEN 'text' THEN u.unihash END FROM unihashes_v3 u
  WHERE u.method = q.value->>0 AND u.taskhash = q.value->>1)) AS list
FROM json_each(?) q`;

/** What streams can answer: one byte a character, one line an answer. */
const PLAIN = /^[\n -~]*$/;
const PLAIN_LINE = /^[ -~]+$/;

/** Looks the unihashes of tasks up in batches, and keeps those found in memory. */
export function createUnihashLookup(
  database: Database,
  known: KnownUnihashes,
  log: Logger,
): Batcher<TaskLine, string | null> {
  let warned = false;

  async function lines(tasks: readonly TaskLine[]): Promise<readonly string[]> {
    const prefix = tasks[0]!.slice(0, tasks[0]!.indexOf(' ') + 1);
    const oneMethod = tasks.every((task) => task.startsWith(prefix));
    const read = (sql: string, params: readonly string[]) =>
      database.read<{ text: string }>(database.lookups, sql, params);
    const [row] = oneMethod
      ? await read(UNIHASHES_OF_METHOD, [
          prefix.slice(0, -1),
          JSON.stringify(tasks.map((task) => task.slice(prefix.length))),
        ])
      : await read(UNIHASHES, [JSON.stringify(tasks)]);
    const found = row!.text.split('\n');
    return found.length === tasks.length && PLAIN.test(row!.text) ? found : onlyPlain(tasks);
  }

  /** One of them is not plain text, and must have been stored by another program: it counts as a miss. */
  async function onlyPlain(tasks: readonly TaskLine[]): Promise<readonly string[]> {
    const keys = JSON.stringify(tasks.map((task) => task.split(' ')));
    const [row] = await database.read<{ list: string }>(database.lookups, STORED_UNIHASHES, [keys]);
    const found = JSON.parse(row!.list) as (string | null)[];
    return found.map((unihash, i) => {
      if (unihash !== null && PLAIN_LINE.test(unihash)) return unihash;
      if (unihash !== null) warn(tasks[i]!);
      return '';
    });
  }

  function warn(task: TaskLine): void {
    if (warned) return;
    warned = true;
    log.warn('the database holds a unihash that is no plain text: its task counts as unknown', {
      file: database.file,
      task: JSON.stringify(task).slice(0, 200),
    });
  }

  return createBatcher(
    async (asked: readonly TaskLine[]) => {
      const { epoch } = known;
      return { epoch, lines: await lines(asked) };
    },
    ({ epoch, lines }, asked): (string | null)[] => {
      // Slices of one fresh text: the lines that were asked are slices of whole reads, which the memory would keep alive.
      const tasks = asked.join('\n').split('\n');
      return lines.map((unihash, i) => {
        if (unihash === '') return null;
        known.add(tasks[i]!, unihash, epoch);
        return unihash;
      });
    },
  );
}
