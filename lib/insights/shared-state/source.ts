import type { UnihashRow } from './survey.ts';

/** A unihash, and of the report of its task that was stored first when that was and what it names. */
export type TaskRow = readonly [
  unihash: string | null,
  created: string | null,
  PN: string | null,
  PV: string | null,
  PR: string | null,
  task: string | null,
];

/** Reads a page of a hash server's tasks, those behind a place (export-tasks in docs/protocol.md). */
export type TaskReader = (
  after: number,
) => Promise<{ readonly rows: readonly TaskRow[]; readonly next: number | null }>;

/** All unihashes of a server: page by page, the next one asked for meanwhile. */
export async function* readUnihashes(read: TaskReader): AsyncGenerator<readonly UnihashRow[]> {
  let page = read(0);
  for (;;) {
    const { rows, next } = await page;
    if (next !== null) {
      page = read(next);
      // Awaited in the next round, which an error before it never reaches.
      page.catch(() => {});
    }
    yield rows.map(([unihash, created, PN, PV, PR, task]) => ({ unihash: unihash ?? '', created, PN, PV, PR, task }));
    if (next === null) return;
  }
}
