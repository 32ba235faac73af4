import type { PrSpool } from '../prserv/pull/spool.ts';
import type { PrRow } from '../prserv/store.ts';
import { followOnward } from './places.ts';
import type { PullSource } from './source.ts';

/** Rows of PR values that are read at a time. */
const VALUES = { rows: 1000, bytes: 1024 * 1024 };

/** Puts the PR values of a source that are wanted into a spool; yields how many rows have been read. */
export async function* spoolValues(
  source: PullSource,
  spool: PrSpool,
  wants: (row: PrRow) => boolean,
): AsyncGenerator<number, void> {
  const onward = followOnward(source.name);
  let read = 0;
  for (let after: string | null = null; ; ) {
    const slice = await source.slice('values', after, VALUES);
    const rows = slice.rows.map(([version, pkgarch, checksum, value]) => ({ version, pkgarch, checksum, value }));
    // Only another program's file has rows without a value: nobody was given one.
    const whole = rows.filter((row): row is PrRow => Object.values(row).every((each) => typeof each === 'string'));
    const wanted = whole.filter(wants);
    if (wanted.length > 0) await spool.add(wanted);
    read += rows.length;
    yield read;
    if (slice.next === null) return;
    after = slice.next;
    onward(after);
  }
}
