import { InvokeError } from '../errors.ts';
import type { Slice, SliceLimits, Source } from './ends.ts';
import type { Part } from './parts.ts';

/** Large enough that round trips cost little, small enough that other writers of a target in use wait for less than a second. */
const SLICE: SliceLimits = { rows: 5000, bytes: 4 * 1024 * 1024 };

/** A signal ended it; what was copied until then is in the target. */
export class Interrupted extends InvokeError {}

/**
 * The slices of a part that are not empty; the next is read while one is worked on.
 * @throws Interrupted between two of them
 */
export async function* slicesOf(
  source: Source,
  part: Part,
  { signal, limits = SLICE }: { readonly signal: AbortSignal; readonly limits?: SliceLimits },
): AsyncGenerator<Slice> {
  const read = (after: string | null) => {
    const slice = source.slice(part, after, limits);
    // It may fail before it is asked for.
    slice.catch(() => {});
    return slice;
  };
  let coming: Promise<Slice> | null = read(null);
  while (coming) {
    const slice: Slice = await coming;
    if (signal.aborted) throw new Interrupted('interrupted');
    coming = slice.next === null ? null : read(slice.next);
    if (slice.rows.length > 0 || slice.odd.length > 0) yield slice;
  }
}
