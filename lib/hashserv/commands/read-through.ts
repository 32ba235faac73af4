import type { HashContext } from '../context.ts';
import type { OuthashRow } from '../store.ts';
import type { OuthashLookup } from '../upstream/upstream.ts';

/** The unihash of a task: ours, otherwise the upstream's, which is stored before it is answered. */
export async function getUnihash(context: HashContext, method: string, taskhash: string): Promise<string | null> {
  const { store, upstream, readOnly } = context;
  const own = await store.unihash(method, taskhash);
  const unihash = own === null && upstream ? await upstream.unihash(method, taskhash) : null;
  countLookup(context, method, taskhash, own !== null, unihash !== null);
  if (own !== null || unihash === null || readOnly) return own ?? unihash;
  return (await keep(context, () => store.reportEquivalent([{ method, taskhash, unihash }])))?.[0] ?? unihash;
}

/** The oldest outhash row of a task joined with its unihash. */
export async function getTask(context: HashContext, method: string, taskhash: string): Promise<OuthashRow | null> {
  const { store, upstream } = context;
  const read = async () => (await store.tasks([{ method, taskhash }]))[0]!;
  const own = await read();
  const row = own || !upstream ? null : await upstream.task(method, taskhash);
  countLookup(context, method, taskhash, own !== null, row !== null);
  if (own || !row) return own;
  return (await keepRow(context, row, read)) ?? row;
}

function countLookup(
  { figures: { lookups } }: HashContext,
  method: string,
  taskhash: string,
  isHere: boolean,
  isUpstream: boolean,
): void {
  const figures = lookups.of(method);
  if (isHere) figures.hits++;
  else if (isUpstream) figures.upstreamHits++;
  else {
    figures.misses++;
    lookups.missed.noteAll([`${method} ${taskhash}`]);
  }
}

/** The oldest outhash row of an output. */
export async function getOuthash(context: HashContext, query: OuthashLookup): Promise<OuthashRow | null> {
  const { store, upstream } = context;
  const read = async () => (await store.outhashes([query]))[0]!;
  const own = await read();
  if (own || !upstream) return own;
  const row = await upstream.outhash(query);
  if (!row) return null;
  if (!query.withUnihash) delete row.unihash;
  return (await keepRow(context, row, read)) ?? row;
}

/**
 * What the upstream has for outputs that nobody here has reported with a unihash; null without an upstream.
 * @param known the oldest row of each output, if they have been read already
 */
export async function upstreamUnihashes(
  { store, upstream }: HashContext,
  reports: readonly { method: string; outhash: string; taskhash: string }[],
  known?: readonly (OuthashRow | null)[],
): Promise<readonly (string | null)[] | null> {
  if (!upstream) return null;
  const own =
    known ?? (await store.outhashes(reports.map(({ method, outhash }) => ({ method, outhash, withUnihash: true }))));
  const unknown = reports.filter((_, i) => !own[i]);
  if (unknown.length === 0) return null;
  const found = await upstream.unihashesOfOutputs(unknown);
  let next = 0;
  return own.map((row) => (row ? null : found[next++]!));
}

/** Stores an upstream's row and reads it back as ours; null if it cannot be stored. */
async function keepRow(
  context: HashContext,
  row: OuthashRow,
  read: () => Promise<OuthashRow | null>,
): Promise<OuthashRow | null> {
  const { store, readOnly } = context;
  if (readOnly) return null;
  return keep(context, async () => {
    const { method, taskhash, unihash } = row as { [key: string]: string };
    // The unihash first: an outhash row whose task has none would look like half a report.
    if (unihash) await store.reportEquivalent([{ method: method!, taskhash: taskhash!, unihash }]);
    await store.keepOuthashes([row]);
    return read();
  });
}

/** A hit that cannot be stored is still an answer; it will just be asked for again. */
async function keep<T>({ log }: HashContext, store: () => Promise<T>): Promise<T | null> {
  try {
    return await store();
  } catch (error) {
    log.warn('an answer of the upstream could not be stored', { error });
    return null;
  }
}
