import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { JobRun, Slice } from '../../jobs/kind.ts';
import type { Gc } from '../gc.ts';
import type { GcTask } from '../store.ts';

/** A way through a table, and what belongs before and after it. */
export interface Pass {
  readonly task: GcTask;
  /** Rows of the table. */
  readonly rows: number;
  /** @param again it had begun before a restart */
  begin?(again: boolean): Promise<void>;
  /** May be called a second time after a kill. */
  end?(): Promise<void>;
}

/** Where a job is: in a pass, after a row's id; null when only `end` is missing. */
interface Place {
  readonly pass: number;
  readonly after: number | null;
  readonly looked: number;
  readonly counts: readonly number[];
}

/**
 * Goes through tables in slices, one pass after the other, while nobody else does.
 * @param result of how many rows each pass took
 */
export async function* through(
  gc: Gc,
  { signal, note }: JobRun<unknown>,
  passes: readonly Pass[],
  from: Json,
  result: (counts: readonly number[]) => Json,
): AsyncGenerator<Slice, Json, void> {
  const total = passes.reduce((sum, { rows }) => sum + rows, 0);
  let place: Place = (from as unknown as Place | null) ?? { pass: 0, after: 0, looked: 0, counts: passes.map(() => 0) };
  const slice = (save: boolean): Slice => ({
    position: { ...place, counts: [...place.counts] },
    // Rows are looked at a step at a time, and the last step looks for more than there are.
    done: Math.min(place.looked, total),
    total,
    soFar: result(place.counts),
    ...(save && { save: true }),
  });
  const leave = await gc.enter(signal);
  try {
    for (; place.pass < passes.length; place = { ...place, pass: place.pass + 1, after: 0 }) {
      const { task, begin, end } = passes[place.pass]!;
      if (place.after !== null) {
        await begin?.(place.after > 0);
        for await (const { looked, count, next } of gc.steps(task, place.after)) {
          const counts = place.counts.map((each, i) => (i === place.pass ? each + count : each));
          place = { ...place, after: next, looked: place.looked + looked, counts };
          yield slice(next === null && end !== undefined);
        }
      }
      await end?.();
      note(`${task.kind}: ${place.counts[place.pass]} rows`);
    }
    return result(place.counts);
  } finally {
    leave();
  }
}
