import type { CallOptions } from '../asyncrpc/client/abort.ts';
import { isUnknownCommand } from '../asyncrpc/client/channel.ts';
import { type Client, connectClient } from '../asyncrpc/client/client.ts';
import type { ClientOptions, Login } from '../asyncrpc/client/options.ts';
import type { Address } from '../asyncrpc/transport/address.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { FoundPackages } from './find-packages.ts';
import type { ChecksumKey, ColumnInfo, PrFilter, PrRow, RowFilter } from './store.ts';

export const PR_PROTOCOL = 'PRSERVICE 1.0';

export interface PrClientOptions extends Omit<ClientOptions, 'protocol' | 'onConnect' | 'resendable'> {
  /** To log in with, on every connection that is made: for a bakeserv listener with `pr-auth`. */
  readonly login?: Login | undefined;
}

/** All of BitBake's commands, and one that reads: repeated, get-pr answers with the same value or a later one, and import-one stores once. */
export const RESENDABLE_PR_COMMANDS: ReadonlySet<string> = new Set([
  'ping',
  'get-pr',
  'test-pr',
  'test-package',
  'max-package-pr',
  'import-one',
  'export',
  'export-rows',
  'find-packages',
  'show-package',
  'is-readonly',
  'insight-churn',
  'insight-status',
  'job-list',
  'job-show',
]);

export interface PrExport {
  readonly metainfo: { tbl_name?: string; core_ver?: string; col_info?: ColumnInfo[] };
  readonly datainfo: PrRow[];
}

export interface PrExportOptions extends CallOptions {
  /** Every row; without, the newest of each package. */
  readonly history?: boolean | undefined;
  /** Also how the table is made up, in `metainfo`. */
  readonly colinfo?: boolean | undefined;
}

/**
 * Every command of a PR server (docs/protocol.md), typed. A miss is null. Methods throw InvokeError when the
 * server refuses, AddressError when it cannot be reached, and the reason of the signal where one is given.
 * Without `history` the server's own mode holds (`bakeserv serve --history`).
 */
export interface PrClient extends Client {
  ping(options?: CallOptions): Promise<void>;
  /** Creates the value where there is none. Null only from a read-only server of another make. */
  getPr(key: ChecksumKey, history?: boolean, options?: CallOptions): Promise<string | null>;
  testPr(key: ChecksumKey, history?: boolean, options?: CallOptions): Promise<string | null>;
  testPackage(version: string, pkgarch: string, options?: CallOptions): Promise<boolean>;
  maxPackagePr(version: string, pkgarch: string, options?: CallOptions): Promise<string | null>;
  /** The value as it was sent, or null on a read-only server, which stores nothing. */
  importOne(row: PrRow, options?: CallOptions): Promise<string | null>;
  exportRows(filter?: Partial<PrFilter>, options?: PrExportOptions): Promise<PrExport>;
  isReadonly(options?: CallOptions): Promise<boolean>;

  // Added by bakeserv (docs/protocol.md): other servers do not know these.
  /**
   * Stores all rows or none, in one transaction; with `check` only tells whether they could be stored. Without rows
   * the result is null from a server that does not know the command.
   */
  importRows(rows: readonly PrRow[], check?: boolean, options?: CallOptions): Promise<PrImportReply | null>;
  /**
   * Up to `limit` rows (1,000 at most) behind a row, in the order of their columns; null: from the first. The result is null from a
   * server that does not know the command.
   * @param count also tells how many rows there are
   */
  exportPage(after: PrRow | null, limit?: number, count?: boolean, options?: CallOptions): Promise<PrPage | null>;
  /** Packages whose version has a text in it, up to `limit` (500 at most). */
  findPackages(text: string, limit?: number, options?: CallOptions): Promise<FoundPackages>;
  /** How many rows a remove would delete. */
  countRows(filter: Partial<RowFilter>, options?: CallOptions): Promise<number>;
  /** Resolves to the number of rows removed. */
  removeRows(filter: Partial<RowFilter>, options?: CallOptions): Promise<number>;
}

/** Some rows of all. */
export interface PrPage {
  readonly rows: readonly PrRow[];
  /** The row behind which the next page begins; null at the end. */
  readonly next: PrRow | null;
  /** How many rows there are, where that was asked for; null from an older server. */
  readonly total: number | null;
}

export interface PrImportReply {
  readonly stored: number;
  /** Rows that existed already. */
  readonly present: number;
  /** Rows that cannot be stored, by their index in the request: then none was stored. */
  readonly refused: readonly { readonly row: number; readonly message: string }[];
}

/** The login was not taken: only listeners with `pr-auth` know logins of PR clients. */
class LoginNotAsked extends InvokeError {}

/**
 * Connects to a PR server, and logs in if `login` is given.
 * @param address parsed, or as a text: `HOST:PORT`, `unix:///run/bakeserv/hash.sock`
 * @throws AddressError when it is not an address, or nobody answers there, InvokeError when the login is refused
 */
export async function connectPrClient(address: Address | string, options: PrClientOptions = {}): Promise<PrClient> {
  const { login, ...rest } = options;
  const client = await connectClient(address, {
    ...rest,
    protocol: PR_PROTOCOL,
    resendable: RESENDABLE_PR_COMMANDS,
    async onConnect(ask) {
      if (!login) return;
      try {
        await ask('auth', { username: login.username, token: login.token });
      } catch (error) {
        if (!isUnknownCommand(error)) throw error;
        throw new LoginNotAsked('the server asks PR clients for no login: connect without one', error);
      }
    },
  });
  const value = async <T>(command: string, args: Json, options?: CallOptions): Promise<T | null> =>
    ((await client.invoke(command, args, options)) as { value: T } | null)?.value ?? null;
  const count = async (command: string, filter: Partial<RowFilter>, options?: CallOptions) => {
    try {
      return ((await client.invoke(command, { ...filter }, options)) as { count: number }).count;
    } catch (error) {
      if (!isUnknownCommand(error)) throw error;
      throw new InvokeError(`the server does not know ${command}: it is not bakeserv, or an older one`, error);
    }
  };
  return {
    ...client,
    async importRows(rows, check = false, options) {
      const lines = rows.map((row) => JSON.stringify([row.version, row.pkgarch, row.checksum, row.value]));
      try {
        const reply = await client.invoke('import-rows', { rows: lines.join('\n'), check }, options);
        return reply as unknown as PrImportReply;
      } catch (error) {
        // If the connection is lost with rows under way, they may have been stored.
        if (rows.length === 0 && isUnknownCommand(error)) return null;
        throw error;
      }
    },
    async exportPage(after, limit = 1000, counted = false, options) {
      const place = after && [after.version, after.pkgarch, after.checksum, after.value];
      try {
        const args = { after: place, limit, ...(counted && { count: true }) };
        return readPage(await client.invoke('export-rows', args, options));
      } catch (error) {
        // One that has answered a page knows the command, whatever became of it since.
        if (after === null && isUnknownCommand(error)) return null;
        throw error;
      }
    },
    async findPackages(text, limit, options) {
      const args = { text, ...(limit !== undefined && { limit }) };
      return (await client.invoke('find-packages', args, options)) as unknown as FoundPackages;
    },
    countRows: (filter, options) => count('count-rows', filter, options),
    removeRows: (filter, options) => count('remove', filter, options),
    ping: async (options) => void (await client.invoke('ping', {}, options)),
    async getPr(key, history, options) {
      const found = await value<string | number>('get-pr', checksumArgs(key, history), options);
      return found === null ? null : String(found);
    },
    testPr: (key, history, options) => value('test-pr', checksumArgs(key, history), options),
    testPackage: async (version, pkgarch, options) =>
      (await value<boolean>('test-package', { version, pkgarch }, options)) === true,
    maxPackagePr: (version, pkgarch, options) => value('max-package-pr', { version, pkgarch }, options),
    importOne: ({ version, pkgarch, checksum, value: text }, options) =>
      value('import-one', { version, pkgarch, checksum, value: text }, options),
    async exportRows(
      { version = null, pkgarch = null, checksum = null } = {},
      { history, colinfo = false, signal } = {},
    ) {
      const args = { version, pkgarch, checksum, colinfo, ...modeOf(history) };
      return (await client.invoke('export', args, { signal })) as unknown as PrExport;
    },
    isReadonly: async (options) =>
      ((await client.invoke('is-readonly', {}, options)) as { readonly: boolean }).readonly,
  };
}

/**
 * The same for a login that is for hash equivalence first: it is left out where the server asks PR clients for none.
 * @throws AddressError, InvokeError
 */
export async function connectPrWhereAsked(address: Address | string, options: PrClientOptions): Promise<PrClient> {
  try {
    return await connectPrClient(address, options);
  } catch (error) {
    if (!(error instanceof LoginNotAsked)) throw error;
    const { login: _, ...rest } = options;
    return connectPrClient(address, rest);
  }
}

type ListedRow = readonly [version: string, pkgarch: string, checksum: string, value: string];

interface PageReply {
  readonly rows: readonly ListedRow[];
  readonly next: ListedRow | null;
  readonly total?: number;
}

/** @throws InvokeError for what is no page: a server that is none of ours may send anything */
function readPage(reply: unknown) {
  const { rows, next = null, total } = (reply ?? {}) as Partial<PageReply>;
  const isRow = (row: unknown) => Array.isArray(row) && row.length === 4;
  if (!Array.isArray(rows) || !rows.every(isRow) || (next !== null && !isRow(next)))
    throw new InvokeError('export-rows: the server answers with no rows', undefined, 'unavailable');
  return { rows: rows.map(rowOf), next: next && rowOf(next), total: Number.isSafeInteger(total) ? total! : null };
}

const rowOf = ([version, pkgarch, checksum, value]: ListedRow): PrRow => ({ version, pkgarch, checksum, value });

function checksumArgs({ version, pkgarch, checksum }: ChecksumKey, history: boolean | undefined): Json {
  return { version, pkgarch, checksum, ...modeOf(history) };
}

/** A request without `history` is answered in the server's own mode. */
function modeOf(history: boolean | undefined): { history?: boolean } {
  return history === undefined ? {} : { history };
}
