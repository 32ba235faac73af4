import { InvokeError } from '../../errors.ts';
import type { PrClient } from '../../prserv/client.ts';
import type { PrRow } from '../../prserv/store.ts';
import { type Importing, interrupted, type PlacedRow } from './importing.ts';

/** The limits of one transaction: less than a server accepts in one message. */
const TRANSACTION_ROWS = 50_000;
const TRANSACTION_CHARACTERS = 6 * 1024 * 1024;

/**
 * Stores rows with import-rows: in one transaction if they fit into one. Otherwise the server checks all rows before
 * any is stored.
 * @throws InvokeError when the server refuses a row, and nothing was stored
 */
export async function storeTogether(server: PrClient, rows: readonly PlacedRow[], importing: Importing): Promise<void> {
  const groups = [...transactions(rows)];
  if (groups.length > 1)
    for (const [i, group] of groups.entries()) groups[i] = await accepted(server, group, importing);
  for (const [i, group] of groups.entries()) {
    try {
      await storeGroup(server, group, importing);
    } catch (error) {
      if (i > 0) importing.note(interrupted(importing.totals.stored));
      throw error;
    }
    importing.add(group.length);
  }
}

/** The rows of a group that the server would accept. */
async function accepted(server: PrClient, group: readonly PlacedRow[], importing: Importing): Promise<PlacedRow[]> {
  for (let left = [...group]; ; ) {
    const reply = (await server.importRows(
      left.map(({ row }) => row),
      true,
    ))!;
    if (reply.refused.length === 0) return left;
    left = without(left, reply.refused, importing);
  }
}

async function storeGroup(server: PrClient, group: readonly PlacedRow[], importing: Importing): Promise<void> {
  for (let left = [...group]; ; ) {
    const { stored, present, refused } = (await server.importRows(left.map(({ row }) => row)))!;
    importing.totals.stored += stored;
    importing.totals.present += present;
    if (refused.length === 0) return;
    left = without(left, refused, importing);
  }
}

/** The rows that were not refused, with --keep-going. */
function without(
  rows: readonly PlacedRow[],
  refused: readonly { readonly row: number; readonly message: string }[],
  { keepGoing, refuse, totals }: Importing,
): PlacedRow[] {
  for (const { row, message } of refused) refuse(rows[row]!.place, message);
  if (!keepGoing)
    throw new InvokeError(
      `the server refuses ${totals.refused} rows: nothing was imported; --keep-going imports the rest`,
    );
  const gone = new Set(refused.map(({ row }) => row));
  return rows.filter((_, i) => !gone.has(i));
}

function* transactions(rows: readonly PlacedRow[]): Generator<readonly PlacedRow[]> {
  let start = 0;
  let characters = 0;
  for (const [at, { row }] of rows.entries()) {
    const length = wireLength(row);
    if (at > start && (at - start >= TRANSACTION_ROWS || characters + length > TRANSACTION_CHARACTERS)) {
      yield rows.slice(start, at);
      start = at;
      characters = 0;
    }
    characters += length;
  }
  if (start < rows.length) yield rows.slice(start);
}

/** The approximate length of a row as JSON inside JSON, where a character that is not plain takes six. */
function wireLength({ version, pkgarch, checksum, value }: PrRow): number {
  const text = version + pkgarch + checksum + value;
  return 32 + text.length * (/^[\w.+:$~-]*$/.test(text) ? 1 : 6);
}
