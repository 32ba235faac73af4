import { ClosedWithoutWord, isUnknownCommand } from '../asyncrpc/client/channel.ts';
import type { Client } from '../asyncrpc/client/client.ts';
import type { Login } from '../asyncrpc/client/options.ts';
import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { AddressError, errorText, InvokeError } from '../errors.ts';
import { connectHashClient } from '../hashserv/client.ts';
import type { HashClient } from '../hashserv/client-types.ts';
import type { FoundPage, RowValues } from '../hashserv/store.ts';
import { TABLE_NAMES } from '../hashserv/store-rules.ts';
import { connectPrWhereAsked, type PrClient } from '../prserv/client.ts';
import { createPrPaging } from '../prserv/paging.ts';
import type { PrRow } from '../prserv/store.ts';
import type { PullPart, PullSource } from './source.ts';

export interface ServerSourceOptions {
  readonly login: Login | undefined;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly hashes: boolean;
  readonly prs: boolean;
  /** Closes it, whatever it waits for. */
  readonly signal: AbortSignal;
}

/** A server that does not answer must not hold up a job, and the jobs behind it, for ever. */
const ANSWER_MS = 60_000;
/** Rows in a page. */
const PAGE_ROWS = 1000;

const listed = ({ version, pkgarch, checksum, value }: PrRow) => [version, pkgarch, checksum, value];

/**
 * Connects to a running server to pull from it.
 * @throws AddressError, InvokeError where it answers neither service that is wanted
 */
export async function openServerSource(address: Address, options: ServerSourceOptions): Promise<PullSource> {
  const { login, caFile, certFile, keyFile, signal } = options;
  const name = formatAddress(address);
  const shared = { caFile, certFile, keyFile, signal, answerTimeoutMs: ANSWER_MS };
  let hashes: HashClient | null = null;
  let prs: PrClient | null = null;
  const close = async () => {
    hashes?.close();
    prs?.close();
  };
  try {
    if (options.hashes) {
      const connect = () => connectHashClient(address, { ...shared, ...(login && { login }) });
      hashes = await served(connect, (client) => client.databaseUsage());
    }
    if (options.prs)
      prs = await served(
        () => connectPrWhereAsked(address, { ...shared, login }),
        (client) => client.isReadonly(),
      );
    if (!hashes && !prs) throw new AddressError(`${name} closes the connection: it serves nothing of what is wanted`);
  } catch (error) {
    await close();
    throw error;
  }
  const values = prs && createPrPaging(prs, name);
  const parts = new Set<PullPart>([
    ...(hashes ? (['unihashes', 'outhashes'] as const) : []),
    ...(prs ? (['values'] as const) : []),
  ]);
  return {
    name,
    parts,
    isOther: false,
    close,
    async count(part) {
      if (part === 'values') return values!.count();
      return countIn(await hashes!.databaseUsage(), TABLE_NAMES[part]);
    },
    async slice(part, after, { rows }) {
      if (part === 'values') {
        const page = await values!.page(after, Math.min(rows, PAGE_ROWS));
        return { rows: page.rows.map(listed), odd: [], next: page.next };
      }
      const from = Number(after ?? 0);
      const page = readPage(await hashes!.exportRows(part, from, Math.min(rows, PAGE_ROWS)), idBehind(from), name);
      return { rows: page.rows, odd: [], next: page.next === null ? null : String(page.next) };
    },
    unihashesOf: (tasks) => hashes!.getUnihashes(tasks.map(([method, taskhash]) => ({ method, taskhash }))),
    async find(search, after, brief) {
      try {
        const { table, by } = search;
        const args = { table, by, keys: search.keys as Json, after, brief };
        return readPage(await hashes!.invoke('find-rows', args), isPlace, name) satisfies FoundPage;
      } catch (error) {
        if (isUnknownCommand(error)) return null;
        throw error;
      }
    },
    async id() {
      if (!hashes) return null;
      try {
        return idIn(await hashes.invoke('database-id', {}));
      } catch (error) {
        if (isUnknownCommand(error)) return null;
        throw error;
      }
    },
  };
}

/**
 * A client whose service is answered there; null where the server, or the listener, does not have that service.
 * @param ask anything that needs no other rights than the pull
 */
async function served<C extends Client>(
  connect: () => Promise<C>,
  ask: (client: C) => Promise<unknown>,
): Promise<C | null> {
  const client = await connect();
  try {
    await ask(client);
    return client;
  } catch (error) {
    client.close();
    if (error instanceof ClosedWithoutWord || /does not serve these commands/.test(errorText(error))) return null;
    throw error;
  }
}

/** A page of rows as a server answers it. */
interface RowsPage<Next> {
  readonly rows: readonly RowValues[];
  readonly next: Next | null;
}

const isText = (value: unknown) => value === null || typeof value === 'string';
const isRow = (row: unknown) => Array.isArray(row) && row.every(isText);

/**
 * Reads an answer that must be a page: a server that is none of ours may send anything.
 * @throws InvokeError
 */
function readPage<Next>(reply: unknown, isNext: (next: unknown) => next is Next, name: string): RowsPage<Next> {
  const { rows, next } = (typeof reply === 'object' && reply !== null ? reply : {}) as Record<string, unknown>;
  if (!Array.isArray(rows) || !rows.every(isRow)) throw strange(name, 'no rows');
  if (next !== null && !isNext(next)) throw strange(name, 'no place to go on from');
  return { rows: rows as readonly RowValues[], next };
}

const strange = (name: string, what: string) =>
  new InvokeError(`${name} answers with ${what}: is it a server of this kind?`, undefined, 'unavailable');

/** The id behind which the next page is: each must be larger than the one before. */
const idBehind =
  (after: number) =>
  (next: unknown): next is number =>
    Number.isSafeInteger(next) && (next as number) > after;

const isPlace = (next: unknown): next is string => typeof next === 'string' && next !== '';

/** How many rows there are, as far as a server says so. */
function countIn(usage: unknown, table: string): number | null {
  const counts = (usage as Record<string, { readonly rows?: unknown } | null | undefined> | null)?.[table];
  return Number.isSafeInteger(counts?.rows) ? (counts!.rows as number) : null;
}

/** The id of its database; null where it says none. */
function idIn(reply: unknown): string | null {
  const { id } = (reply ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' ? id : null;
}
