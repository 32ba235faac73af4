import { InvokeError, reasonOf } from '../../errors.ts';
import type { Format } from '../../prserv/files/formats.ts';
import { readRows } from '../../prserv/files/reading.ts';
import type { PullSlice, PullSource } from '../source.ts';

/** A file of PR values that `bakeserv-prclient export` has written, in any of its formats; read from its start to its end. */
export function openPrExport(file: string, format: Format): PullSource {
  let rows: ReturnType<typeof readRows> | null = null;
  let given = 0;

  /** @throws InvokeError that names the place */
  async function next(): Promise<PullSlice['rows'][number] | null> {
    const { done, value } = await rows!.next().catch((error: unknown): never => {
      throw error instanceof InvokeError ? error : new InvokeError(`cannot read ${file}: ${reasonOf(error)}`, error);
    });
    if (done) return null;
    if ('row' in value) return [value.row.version, value.row.pkgarch, value.row.checksum, value.row.value];
    const place = `${file}, ${format === 'json' ? 'row' : 'line'} ${value.line}`;
    throw new InvokeError(
      `${place}: ${value.error}: it is no whole export of bakeserv-prclient (${format}), and no PR value of it was stored; export it again, and pull that`,
    );
  }

  async function end(): Promise<void> {
    await rows?.return(undefined);
    rows = null;
  }

  return {
    name: file,
    parts: new Set(['values']),
    isOther: true,
    count: async () => null,
    async slice(_part, after, limits) {
      if (after === null) {
        await end();
        rows = readRows(file, format);
        given = 0;
      } else if (Number(after) !== given) throw new InvokeError(`${file} can only be read from its start`);
      const slice: PullSlice['rows'][number][] = [];
      for (let bytes = 0; slice.length < limits.rows && bytes < limits.bytes; ) {
        const row = await next();
        if (!row) return { rows: slice, odd: [], next: null };
        slice.push(row);
        for (const text of row) bytes += text!.length;
      }
      given += slice.length;
      return { rows: slice, odd: [], next: String(given) };
    },
    unihashesOf: async (tasks) => tasks.map(() => null),
    id: async () => null,
    close: end,
  };
}
