import type { UnihashRow } from './survey.ts';

type Row = readonly (string | null)[];

/** Pages of a hash server's rows: of export-rows, and of find-rows by task without their signatures (docs/protocol.md). */
export interface RowReader {
  /** `method, taskhash, unihash`, of the rows behind a place. */
  unihashes(after: number): Promise<{ readonly rows: readonly Row[]; readonly next: number | null }>;
  /** `method, taskhash, outhash, created, owner, PN, PV, PR, task`, of the reports of tasks. */
  reports(
    tasks: readonly (readonly [method: string, taskhash: string])[],
    after: string | null,
  ): Promise<{ readonly rows: readonly Row[]; readonly next: string | null }>;
}

interface FirstReport extends Omit<UnihashRow, 'unihash'> {
  readonly created: string;
}

/** All unihashes of a server, each with the oldest report of its task: page by page, the next one asked for meanwhile. */
export async function* readUnihashes(reader: RowReader): AsyncGenerator<readonly UnihashRow[]> {
  let page = reader.unihashes(0);
  for (;;) {
    const { rows, next } = await page;
    if (next !== null) {
      page = reader.unihashes(next);
      // Awaited in the next round, which an error before it never reaches.
      page.catch(() => {});
    }
    yield await withReports(reader, rows);
    if (next === null) return;
  }
}

async function withReports(reader: RowReader, rows: readonly Row[]): Promise<readonly UnihashRow[]> {
  const first = new Map<string, FirstReport>();
  const tasks = rows.map(([method, taskhash]) => [method!, taskhash!] as const);
  for (let after: string | null | undefined; after !== null && tasks.length > 0; ) {
    const page = await reader.reports(tasks, after ?? null);
    for (const [method, taskhash, , created, , PN, PV, PR, task] of page.rows) {
      const key = `${method} ${taskhash}`;
      const known = first.get(key);
      if (created == null || (known && known.created <= created)) continue;
      first.set(key, { created, PN: PN ?? null, PV: PV ?? null, PR: PR ?? null, task: task ?? null });
    }
    after = page.next;
  }
  return rows.map(([method, taskhash, unihash]) => ({
    ...(first.get(`${method} ${taskhash}`) ?? { created: null, PN: null, PV: null, PR: null, task: null }),
    unihash: unihash!,
  }));
}
