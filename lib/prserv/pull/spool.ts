import type { PackageGroup, PackageKey, PrRow } from '../store.ts';

/**
 * The rows that a pull has read from its source, on disk and in the order of their packages: a source may tell them in any
 * order, and there may be more than fit into memory. It goes with the process.
 */
export interface PrSpool {
  /** A row that is there already is left alone. */
  add(rows: readonly PrRow[]): Promise<void>;
  /** Whole packages, in groups of about a thousand rows. Packages may be removed meanwhile. */
  groups(): AsyncGenerator<readonly PackageGroup[]>;
  remove(packages: readonly PackageKey[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws StorageError when there is no room for one */
export type OpenSpool = () => Promise<PrSpool>;
