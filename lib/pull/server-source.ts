import { ClosedWithoutWord, isUnknownCommand } from '../asyncrpc/client/channel.ts';
import type { Client } from '../asyncrpc/client/client.ts';
import type { Login } from '../asyncrpc/client/options.ts';
import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { AddressError, errorText } from '../errors.ts';
import { connectHashClient } from '../hashserv/client.ts';
import type { HashClient } from '../hashserv/client-types.ts';
import type { FoundPage } from '../hashserv/store.ts';
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
      const usage = await hashes!.databaseUsage();
      return usage[TABLE_NAMES[part]]?.rows ?? 0;
    },
    async slice(part, after, { rows }) {
      if (part === 'values') {
        const page = await values!.page(after, Math.min(rows, PAGE_ROWS));
        return { rows: page.rows.map(listed), odd: [], next: page.next };
      }
      const page = await hashes!.exportRows(part, Number(after ?? 0), Math.min(rows, PAGE_ROWS));
      return { rows: page.rows, odd: [], next: page.next === null ? null : String(page.next) };
    },
    unihashesOf: (tasks) => hashes!.getUnihashes(tasks.map(([method, taskhash]) => ({ method, taskhash }))),
    async find(search, after, brief) {
      try {
        const { table, by } = search;
        const args = { table, by, keys: search.keys as Json, after, brief };
        return (await hashes!.invoke('find-rows', args)) as unknown as FoundPage;
      } catch (error) {
        if (isUnknownCommand(error)) return null;
        throw error;
      }
    },
    async id() {
      if (!hashes) return null;
      try {
        return ((await hashes.invoke('database-id', {})) as { id: string | null }).id;
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
