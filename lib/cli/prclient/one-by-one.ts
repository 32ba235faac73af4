import { InvokeError } from '../../errors.ts';
import type { PrClient } from '../../prserv/client.ts';
import type { PrRow } from '../../prserv/store.ts';
import { type Importing, interrupted, type PlacedRow } from './importing.ts';

/** How many rows are looked up, then stored together: as many as a server commits at once. */
const BATCH_ROWS = 256;

/**
 * Stores rows with import-one, which every PR server knows. The rows were checked, so only a failing server can end this
 * half-way.
 */
export async function storeOneByOne(server: PrClient, rows: readonly PlacedRow[], importing: Importing): Promise<void> {
  try {
    for (let at = 0; at < rows.length; at += BATCH_ROWS) {
      const batch = rows.slice(at, at + BATCH_ROWS);
      await storeBatch(server, batch, importing);
      importing.add(batch.length);
    }
  } catch (error) {
    importing.note(interrupted(importing.totals.stored));
    throw error;
  }
}

/** Finds out which rows exist, then stores the others. Requests of a kind are sent together, for one commit. */
async function storeBatch(server: PrClient, batch: readonly PlacedRow[], importing: Importing): Promise<void> {
  const { totals, refuse, keepGoing } = importing;
  const known = await Promise.all(batch.map(({ row }) => isStored(server, row)));
  const seen = new Set<string>();
  const fresh: PlacedRow[] = [];
  for (const [i, placed] of batch.entries()) {
    const { version, pkgarch, checksum, value } = placed.row;
    const key = JSON.stringify([version, pkgarch, checksum, value]);
    if (known[i] === true || seen.has(key)) totals.present++;
    else fresh.push(placed);
    seen.add(key);
  }
  const outcomes = await Promise.allSettled(fresh.map(({ row }) => server.importOne(row)));
  let failure: unknown = null;
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') totals.stored++;
    else if (outcome.reason instanceof InvokeError) {
      refuse(fresh[i]!.place, outcome.reason.message);
      if (!keepGoing) failure ??= new InvokeError('the server refuses a row; nothing after it was imported');
    } else failure ??= outcome.reason;
  }
  if (failure !== null) throw failure;
}

/** Whether the row exists. Asks for the smallest and the largest value of the checksum, and only if necessary for all. */
async function isStored(server: PrClient, row: PrRow): Promise<boolean> {
  const [smallest, largest] = await Promise.all([server.testPr(row, true), server.testPr(row, false)]);
  if (smallest === null) return false;
  if (smallest === row.value || largest === row.value) return true;
  if (smallest === largest) return false;
  const { datainfo } = await server.exportRows(row, { history: true });
  return datainfo.some(({ value }) => value === row.value);
}
