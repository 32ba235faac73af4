import type { Address } from '../asyncrpc/address.ts';
import { type Client, type ClientOptions, connectClient } from '../asyncrpc/client.ts';
import type { Json } from '../asyncrpc/messages.ts';
import type { ChecksumKey, ColumnInfo, PrFilter, PrRow } from './store.ts';

export const PR_PROTOCOL = 'PRSERVICE 1.0';

export type PrClientOptions = Omit<ClientOptions, 'protocol' | 'onConnect' | 'resendable'>;

/** All of them: get-pr answers a checksum it has stored with the same value or a later one, import-one stores once. */
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
 * Every command of a PR server (protocol.md section 4), typed. A miss is null. Methods throw InvokeError when the
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
  return {
    ...client,
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
