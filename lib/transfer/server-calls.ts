import { ConnectionLost } from '../asyncrpc/client/channel.ts';
import { connectClient } from '../asyncrpc/client/client.ts';
import type { ClientOptions } from '../asyncrpc/client/options.ts';
import { InvokeError } from '../errors.ts';
import { type Row, sizeOfRow } from './parts.ts';

/** Rows of a request, and its size: a server takes 1,000 rows, and messages of 16 MiB. */
const REQUEST_ROWS = 1000;
const REQUEST_BYTES = 4 * 1024 * 1024;
/** Only a message that is larger may be too large. */
const LARGE_BYTES = 1024 * 1024;

/** What a server refuses names the server, which it does not do itself. */
export async function asked<T>(name: string, advice: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof InvokeError)) throw error;
    const more = /is not allowed to access/.test(error.message) ? `; ${advice}` : '';
    throw new InvokeError(`${name}: ${error.message}${more}`, error, error.kind);
  }
}

/**
 * Whether a server has a service at an address: where it has not, it hangs up on the first line. On a connection without a
 * login, as every service answers a ping.
 * @throws AddressError when nobody answers there
 */
export async function serves(address: string, protocol: string, options: Partial<ClientOptions>): Promise<boolean> {
  const client = await connectClient(address, { ...options, protocol, reconnects: 0 });
  try {
    await client.invoke('ping', {});
    return true;
  } catch (error) {
    if (error instanceof ConnectionLost) return false;
    throw error;
  } finally {
    client.close();
  }
}

/** Rows in groups that fit into a request. */
export function* requestsOf(rows: readonly Row[]): Generator<{ readonly from: number; readonly rows: readonly Row[] }> {
  for (let from = 0; from < rows.length; ) {
    let to = from;
    let bytes = 0;
    while (to < rows.length && to - from < REQUEST_ROWS) {
      bytes += sizeOfRow(rows[to]!);
      if (to > from && bytes > REQUEST_BYTES) break;
      to++;
    }
    yield { from, rows: rows.slice(from, to) };
    from = to;
  }
}

/** Why a request with one large row failed, where that may be its size: the server refuses it, or hangs up. */
export function tooLarge(rows: readonly Row[], error: unknown): string | null {
  const [row, ...others] = rows;
  if (!row || others.length > 0 || sizeOfRow(row) < LARGE_BYTES) return null;
  return error instanceof InvokeError || error instanceof ConnectionLost
    ? `the server takes no row as large as this: ${error.message}`
    : null;
}
