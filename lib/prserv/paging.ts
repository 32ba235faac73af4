import { InvokeError } from '../errors.ts';
import type { PrClient } from './client.ts';
import type { PrRow } from './store.ts';

/** The rows of a server, a page at a time. */
export interface PrPaging {
  /**
   * Rows from a place that an earlier page gave; null: from the first.
   * @throws InvokeError from a server that exports nothing at all
   */
  page(after: string | null, limit: number): Promise<{ readonly rows: readonly PrRow[]; readonly next: string | null }>;
  /** How many rows there are; null where the server does not tell. */
  count(): Promise<number | null>;
}

/** How a place in the list of all rows begins: no JSON does. */
const IN_LIST = '@';

/**
 * Reads a server's rows in pages. One that knows none, as BitBake's, gives out all rows in one answer: they are then in memory until
 * the last is read.
 */
export function createPrPaging(client: PrClient, name: string): PrPaging {
  let all: readonly PrRow[] | null = null;

  async function readAll(): Promise<readonly PrRow[]> {
    const { datainfo } = await client.exportRows({}, { history: true });
    if (Array.isArray(datainfo)) return datainfo.map((row) => ({ ...row, value: String(row.value) }));
    throw new InvokeError(`${name} is not bakeserv, or an older one: it exports nothing`);
  }

  function pageOfAll(from: number, limit: number) {
    const rows = all!.slice(from, from + limit);
    const isLast = from + limit >= all!.length;
    if (isLast) all = null;
    return { rows, next: isLast ? null : `${IN_LIST}${from + limit}` };
  }

  return {
    async page(after, limit) {
      if (after?.startsWith(IN_LIST)) {
        all ??= await readAll();
        return pageOfAll(Number(after.slice(IN_LIST.length)), limit);
      }
      const page = await client.exportPage(after === null ? null : (JSON.parse(after) as PrRow), limit);
      if (page) return { rows: page.rows, next: page.next && JSON.stringify(page.next) };
      all = await readAll();
      return pageOfAll(0, limit);
    },
    count: async () => (await client.exportPage(null, 1, true))?.total ?? null,
  };
}
