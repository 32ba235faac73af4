import { BoundedMap } from '../../asyncrpc/bounded-map.ts';
import type { CacheState } from '../../meter/store-figures.ts';
import type { PrRow } from '../../prserv/store.ts';
import { addRow, CHARACTER_BYTES, type PackageRows, packageKey } from './package-rows.ts';

const MAX_BYTES = 32 * 1024 * 1024;
/** A package with very many checksums may take so much of the memory with those that were asked for. */
const MOST_OF_ONE = 1 / 4;

/** A read of packages that is under way. */
export interface Reading {
  readonly epoch: number;
  /** Packages that rows were stored to since it began: what is read of them may lack these. */
  readonly touched: Set<string>;
}

/**
 * What an engine's packages are known by without asking it: those used most recently, bounded in bytes.
 *
 * The engine tells of each row it has stored, and of anything else that may have changed the table; then all is forgotten.
 * What it reads, it reads between `begin` and `end`: nothing is kept that was read before another state.
 */
export class KnownPackages implements CacheState {
  /** Times that a package was found, and packages that were read for want of it. */
  hits = 0;
  misses = 0;
  private readonly maxBytes: number;
  private readonly packages: BoundedMap<string, PackageRows>;
  private readonly readings = new Set<Reading>();
  private forgotten = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.maxBytes = maxBytes;
    this.packages = new BoundedMap(maxBytes, (key, rows) => rows.bytes + CHARACTER_BYTES * key.length);
  }

  /** Packages in it. */
  get entries(): number {
    return this.packages.size;
  }

  /** Approximate memory all of it takes. */
  get bytes(): number {
    return this.packages.weight;
  }

  /** Changes when all is forgotten. */
  get epoch(): number {
    return this.forgotten;
  }

  /** What is known of a package: changed only through `learn` and `change`. */
  get(key: string): PackageRows | undefined {
    const rows = this.packages.use(key);
    if (rows) this.hits++;
    return rows;
  }

  /** A read begins, of packages as they are now or later. */
  begin(): Reading {
    const reading = { epoch: this.forgotten, touched: new Set<string>() };
    this.readings.add(reading);
    return reading;
  }

  end(reading: Reading): void {
    this.readings.delete(reading);
  }

  /** Keeps a package as it was read. */
  keep(reading: Reading, key: string, rows: PackageRows): void {
    this.misses++;
    if (this.isCurrent(reading, key) && !this.packages.has(key)) this.packages.set(key, rows);
  }

  /** Adds what was read about a package with very many rows, of which only a part is known. */
  learn(reading: Reading, key: string, change: (rows: PackageRows) => void): void {
    if (this.isCurrent(reading, key)) this.change(key, change);
  }

  /** Changes a package that is here. One that has grown too large is dropped: so much is not asked for again soon. */
  change(key: string, change: (rows: PackageRows) => void): void {
    this.packages.change(key, change);
    if ((this.packages.get(key)?.bytes ?? 0) > this.maxBytes * MOST_OF_ONE) this.packages.delete(key);
  }

  /** Whether what the reading has found about a package is still so. */
  isCurrent({ epoch, touched }: Reading, key: string): boolean {
    return epoch === this.forgotten && !touched.has(key);
  }

  /** These rows have been stored. */
  add(rows: readonly PrRow[]): void {
    for (const row of rows) {
      const key = packageKey(row);
      this.change(key, (known) => addRow(known, row.checksum, row.value));
      for (const reading of this.readings) reading.touched.add(key);
    }
  }

  /** Drops the packages used least recently until the rest fits. */
  trim(): void {
    this.packages.trim();
  }

  /** Anything may have changed. */
  forget(): void {
    this.packages.clear();
    this.forgotten++;
  }
}
