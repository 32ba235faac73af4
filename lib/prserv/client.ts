import { ClosedWithoutWord } from '../asyncrpc/client/channel.ts';
import { type Client, connectClient } from '../asyncrpc/client/client.ts';
import type { ClientOptions } from '../asyncrpc/client/options.ts';
import type { Address } from '../asyncrpc/transport/address.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { ChecksumKey, ColumnInfo, PrFilter, PrRow, RowFilter } from './store.ts';

export const PR_PROTOCOL = 'PRSERVICE 1.0';

export type PrClientOptions = Omit<ClientOptions, 'protocol' | 'onConnect' | 'resendable'>;

/** All of BitBake's: get-pr answers a checksum it has stored with the same value or a later one, import-one stores once. */
export const RESENDABLE_PR_COMMANDS: ReadonlySet<string> = new Set([
  'ping',
  'get-pr',
  'test-pr',
  'test-package',
  'max-package-pr',
  'import-one',
  'export',
  'is-readonly',
]);

export interface PrExport {
  readonly metainfo: { tbl_name?: string; core_ver?: string; col_info?: ColumnInfo[] };
  readonly datainfo: PrRow[];
}

/**
 * Every command of a PR server (docs/protocol.md), typed. A miss is null. Methods throw InvokeError when the
 * server refuses, AddressError when it cannot be reached.
 */
export interface PrClient extends Client {
  ping(): Promise<void>;
  /** Creates the value where there is none. */
  getPr(key: ChecksumKey, history: boolean): Promise<string>;
  testPr(key: ChecksumKey, history: boolean): Promise<string | null>;
  testPackage(version: string, pkgarch: string): Promise<boolean>;
  maxPackagePr(version: string, pkgarch: string): Promise<string | null>;
  /** The value as it was sent, or null on a read-only server, which stores nothing. */
  importOne(row: PrRow): Promise<string | null>;
  exportRows(filter: Partial<PrFilter>, options: { history: boolean; colinfo?: boolean }): Promise<PrExport>;
  isReadonly(): Promise<boolean>;

  // Added to the protocol by bakeserv (docs/protocol.md): other servers do not know them.
  /**
   * Stores all rows or none, in one transaction; with `check` only says whether they could be stored. Asked with no rows
   * it is null from a server that does not know the command.
   */
  importRows(rows: readonly PrRow[], check?: boolean): Promise<PrImportReply | null>;
  /** How many rows a remove would take. */
  countRows(filter: Partial<RowFilter>): Promise<number>;
  /** Resolves to how many rows that were. */
  removeRows(filter: Partial<RowFilter>): Promise<number>;
}

export interface PrImportReply {
  readonly stored: number;
  /** Rows that were there already. */
  readonly present: number;
  /** Rows that cannot be stored, by their place in the request: then none was. */
  readonly refused: readonly { readonly row: number; readonly message: string }[];
}

/** Whether a server has refused a command as unknown: bakeserv names it, BitBake's closes the connection without a word. */
function isUnknown(error: unknown): boolean {
  return error instanceof InvokeError ? /^unknown command/i.test(error.message) : error instanceof ClosedWithoutWord;
}

/** Connects to a PR server. */
export async function connectPrClient(address: Address, options: PrClientOptions = {}): Promise<PrClient> {
  const client = await connectClient(address, {
    ...options,
    protocol: PR_PROTOCOL,
    resendable: RESENDABLE_PR_COMMANDS,
  });
  const value = async <T>(command: string, args: Json): Promise<T | null> =>
    ((await client.invoke(command, args)) as { value: T } | null)?.value ?? null;
  const count = async (command: string, filter: Partial<RowFilter>) => {
    try {
      return ((await client.invoke(command, { ...filter })) as { count: number }).count;
    } catch (error) {
      if (!isUnknown(error)) throw error;
      throw new InvokeError(`the server does not know ${command}: it is not bakeserv, or an older one`, error);
    }
  };
  return {
    ...client,
    async importRows(rows, check = false) {
      const lines = rows.map((row) => JSON.stringify([row.version, row.pkgarch, row.checksum, row.value]));
      try {
        return (await client.invoke('import-rows', { rows: lines.join('\n'), check })) as unknown as PrImportReply;
      } catch (error) {
        // A connection that is lost with rows under way may have stored them.
        if (rows.length === 0 && isUnknown(error)) return null;
        throw error;
      }
    },
    countRows: (filter) => count('count-rows', filter),
    removeRows: (filter) => count('remove', filter),
    ping: async () => void (await client.invoke('ping', {})),
    getPr: async ({ version, pkgarch, checksum }, history) =>
      String(await value<string | number>('get-pr', { version, pkgarch, checksum, history })),
    testPr: ({ version, pkgarch, checksum }, history) => value('test-pr', { version, pkgarch, checksum, history }),
    testPackage: async (version, pkgarch) => (await value<boolean>('test-package', { version, pkgarch })) === true,
    maxPackagePr: (version, pkgarch) => value('max-package-pr', { version, pkgarch }),
    importOne: ({ version, pkgarch, checksum, value: text }) =>
      value('import-one', { version, pkgarch, checksum, value: text }),
    async exportRows({ version = null, pkgarch = null, checksum = null }, { history, colinfo = false }) {
      const reply = await client.invoke('export', { version, pkgarch, checksum, colinfo, history });
      return reply as unknown as PrExport;
    },
    isReadonly: async () => ((await client.invoke('is-readonly', {})) as { readonly: boolean }).readonly,
  };
}
