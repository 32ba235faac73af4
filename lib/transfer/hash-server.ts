import { InvokeError } from '../errors.ts';
import type { HashClient } from '../hashserv/client-types.ts';
import { TABLE_NAMES } from '../hashserv/store-rules.ts';
import type { Added, Found, OddRow, Refused, Slice, SliceLimits, Target } from './ends.ts';
import { PARTS, type Part, type Row } from './parts.ts';
import { asked, requestsOf, tooLarge } from './server-calls.ts';

const MAX_ROWS = 1000;
const MARK = 'gc-mark';

/**
 * The hash equivalence service of a running bakeserv, for somebody with `@db-admin`. Its users are in no part: it tells
 * nobody their tokens.
 * @param advice what to do about a right that is lacking
 */
export function createHashServerEnd(client: HashClient, name: string, advice: string): Omit<Target, 'rivals'> {
  const ask = <T>(call: () => Promise<T>) => asked(name, advice, call);
  const markOf = () => ask(async () => (await client.gcStatus()).mark);

  async function sliceOf(table: 'unihashes' | 'outhashes', after: number, limits: SliceLimits): Promise<Slice> {
    const limit = Math.min(MAX_ROWS, limits.rows);
    const page = await ask(() => client.exportRows(table, after, limit, { marks: true }));
    const columns = PARTS[table].columns;
    if (page.columns.join() !== columns.join())
      throw new InvokeError(`${name}: an older bakeserv, which does not give gc marks: copy its database instead`);
    const rows: Row[] = [];
    const odd: OddRow[] = [];
    for (const row of page.rows) {
      // Of a file of another program.
      const bad = columns.find((_, i) => row[i] !== null && typeof row[i] !== 'string');
      if (bad === undefined) rows.push(row);
      else odd.push({ row: row.map((value) => String(value)), why: `${bad} is not a text` });
    }
    return { rows, odd, next: page.next === null ? null : String(page.next) };
  }

  async function addTo(table: 'unihashes' | 'outhashes', rows: readonly Row[]): Promise<Added> {
    let stored = 0;
    const refused: Refused[] = [];
    for (const { from, rows: some } of requestsOf(rows)) {
      try {
        const reply = await ask(() => client.importRows(table, some, { marks: true }));
        stored += reply.stored;
        for (const { row, message } of reply.refused) refused.push({ at: from + row, why: message });
      } catch (error) {
        const why = tooLarge(some, error);
        if (why === null) throw error;
        refused.push({ at: from, why });
      }
    }
    return { stored, refused };
  }

  async function compareIn(table: 'unihashes' | 'outhashes', rows: readonly Row[]): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const { rows: some } of requestsOf(rows)) {
      const reply = await ask(() => client.compareRows(table, some));
      const refused = new Set(reply.refused.map(({ row }) => row));
      let next = 0;
      // What it could not store is not there.
      for (const i of some.keys()) found.push(refused.has(i) ? null : (reply.found[next++] ?? null));
    }
    return found;
  }

  return {
    name,
    parts: new Set<Part>(['unihashes', 'outhashes', 'config']),
    async count(part) {
      if (part === 'config') return (await markOf()) === null ? 0 : 1;
      const usage = await ask(() => client.databaseUsage());
      return usage[TABLE_NAMES[part as 'unihashes' | 'outhashes']]?.rows ?? 0;
    },
    async slice(part, after, limits) {
      if (part !== 'config')
        return sliceOf(part as 'unihashes' | 'outhashes', after === null ? 0 : Number(after), limits);
      const mark = await markOf();
      return { rows: mark === null ? [] : [[MARK, mark]], odd: [], next: null };
    },
    async compare(part, rows) {
      if (part !== 'config') return compareIn(part as 'unihashes' | 'outhashes', rows);
      const mark = await markOf();
      return rows.map(([name, value]) => (name !== MARK || mark === null ? null : value === mark ? [] : ['value']));
    },
    faultOf(part, row) {
      if (part === 'config' && (row[0] !== MARK || !row[1]))
        return 'a server stores no setting but the current gc mark';
      const missing = PARTS[part].columns.find(
        (column, i) => row[i] === null && !PARTS[part].nullable.includes(column),
      );
      return missing === undefined ? null : `${missing} is missing`;
    },
    async add(part, rows) {
      if (part !== 'config') return addTo(part as 'unihashes' | 'outhashes', rows);
      // A where that matches nothing: the mark is set, and no row is stamped.
      for (const [, mark] of rows) await ask(() => client.gcMark(mark!, {}));
      return { stored: rows.length, refused: [] };
    },
    close: async () => client.close(),
  };
}
