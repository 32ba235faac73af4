import { InvokeError } from '../errors.ts';
import type { PrClient } from '../prserv/client.ts';
import { createPrPaging } from '../prserv/paging.ts';
import type { PrRow } from '../prserv/store.ts';
import type { Target } from './ends.ts';
import { PARTS, type Row } from './parts.ts';
import { asked } from './server-calls.ts';

/** A server gives no more at once. */
const PAGE_ROWS = 1000;

const rowOf = ({ version, pkgarch, checksum, value }: PrRow): Row => [version, pkgarch, checksum, value];

/**
 * The PR service of a running server. As a source it may be BitBake's, or an older bakeserv, of which all rows are in memory while
 * they are copied; a target must know import-rows.
 */
export function createPrServerEnd(client: PrClient, name: string, advice: string): Target {
  const ask = <T>(call: () => Promise<T>) => asked(name, advice, call);
  const paging = createPrPaging(client, name);

  /** Of a server that does not tell, by reading all. */
  async function countAll(): Promise<number> {
    const told = await ask(() => paging.count());
    if (told !== null) return told;
    let count = 0;
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof paging.page>> = await ask(() => paging.page(after, PAGE_ROWS));
      count += page.rows.length;
      if (page.next === null) return count;
      after = page.next;
    }
  }

  /** Every row of the packages of these rows. */
  async function packagesOf(rows: readonly Row[]): Promise<Row[]> {
    const keys = new Map(
      rows.map(([version = null, pkgarch = null]) => [JSON.stringify([version, pkgarch]), { version, pkgarch }]),
    );
    const exported = await ask(() =>
      Promise.all([...keys.values()].map((key) => client.exportRows(key, { history: true }))),
    );
    return exported.flatMap(({ datainfo }) => datainfo.map((row) => rowOf(row)));
  }

  return {
    name,
    parts: new Set(['values'] as const),
    count: countAll,
    async slice(_part, after, { rows: limit }) {
      const { rows, next } = await ask(() => paging.page(after, Math.min(limit, PAGE_ROWS)));
      return { rows: rows.map(rowOf), odd: [], next };
    },
    async compare(_part, rows) {
      const there = new Set((await packagesOf(rows)).map((row) => JSON.stringify(row)));
      return rows.map((row) => (there.has(JSON.stringify(row)) ? [] : null));
    },
    faultOf(_part, row) {
      const missing = PARTS.values.columns.find((_, i) => row[i] === null);
      return missing === undefined ? null : `${missing} is missing`;
    },
    async add(_part, rows) {
      const refused = new Map<number, string>();
      const asRows = rows.map(
        ([version, pkgarch, checksum, value]) => ({ version, pkgarch, checksum, value }) as PrRow,
      );
      // All or none of a request: those that it refuses are left out of the next.
      for (;;) {
        const places = rows.flatMap((_, i) => (refused.has(i) ? [] : [i]));
        if (places.length === 0) return { stored: 0, refused: [...refused].map(([at, why]) => ({ at, why })) };
        const some = places.map((i) => asRows[i]!);
        const reply = await ask(() => client.importRows(some));
        for (const { row, message } of reply?.refused ?? []) refused.set(places[row]!, message);
        if (reply === null) throw new InvokeError(`${name}: the server does not know import-rows`);
        if (reply.refused.length === 0)
          return { stored: reply.stored, refused: [...refused].map(([at, why]) => ({ at, why })) };
      }
    },
    async rivals(rows) {
      const asked = new Map(rows.map((row) => [JSON.stringify([row[0], row[1], row[3]]), row]));
      return (await packagesOf(rows)).filter((row) => {
        const one = asked.get(JSON.stringify([row[0], row[1], row[3]]));
        return one !== undefined && one[2] !== row[2];
      });
    },
    close: async () => client.close(),
  };
}
