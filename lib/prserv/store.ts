import type { InvokeError } from '../errors.ts';
import type { CacheState } from '../meter/store-figures.ts';
import type { PrInsightRows } from './insight-rows.ts';

/** A PR row: `version` is `<PN>-<PV>-<PR>`, `value` dotted integers. */
export interface PrRow {
  readonly version: string;
  readonly pkgarch: string;
  readonly checksum: string;
  readonly value: string;
}

export interface PackageKey {
  readonly version: string;
  readonly pkgarch: string;
}

export interface ChecksumKey extends PackageKey {
  readonly checksum: string;
}

/** A package on an architecture, with how many values it has. */
export interface PackageCount extends PackageKey {
  readonly values: number;
}

/** A part of all versions, in an order of the engine's. */
export interface VersionSlice {
  /** Those that have the text in them. */
  readonly found: readonly string[];
  /** The last that was looked at; null at the end. */
  readonly last: string | null;
}

/** A row of one package. */
export type ChecksumValue = Pick<PrRow, 'checksum' | 'value'>;

/** A package with rows of it. */
export interface PackageGroup extends PackageKey {
  readonly rows: readonly ChecksumValue[];
}

/** What is published at once, decided from what is stored at that moment. */
export interface Publication {
  /** About as many rows as will be stored: the disk must have room for them. */
  readonly rows: number;
  /** The packages, in groups that can be held in memory. Called again where the transaction is begun again. */
  groups(): AsyncIterable<readonly PackageGroup[]>;
  /** The rows to store of a package. What it throws ends the transaction, with nothing stored. */
  decide(group: PackageGroup, stored: readonly ChecksumValue[]): readonly ChecksumValue[];
}

export interface PrRequest extends ChecksumKey {
  readonly history: boolean;
  /** What the upstream says; absent if there is none. */
  readonly upstream?: UpstreamView;
}

/** What a server's upstream says about a package. */
export type UpstreamView =
  /**
   * It answered: the largest value of the package, the value under which new ones are given here (the largest itself, unless
   * the next value under it is the upstream's to give), and the value of the checksum. Null: unknown there.
   */
  | {
      readonly kind: 'answered';
      readonly max: string | null;
      readonly under: string | null;
      readonly value: string | null;
      /** Another server further up did not answer: the maximum may be larger. */
      readonly away: boolean;
    }
  /** It did not answer: what was heard about the package before. Null: it was unknown there; undefined: nothing was heard. */
  | { readonly kind: 'away'; readonly heard: { readonly max: string; readonly under: string } | null | undefined };

/** A value; null if the rule has no answer; a refusal if the next value would not be countable (revision.ts). */
export type PrAnswer = string | InvokeError | null;

/** Answers in the order of what was asked: at once if they are in memory. */
export type Answers<T> = readonly T[] | Promise<readonly T[]>;

/** Which rows to export: each column, or null for any. */
export interface PrFilter {
  readonly version: string | null;
  readonly pkgarch: string | null;
  readonly checksum: string | null;
}

/** Which rows to count or remove: each column, or null for any; at least one is not null. */
export interface RowFilter extends PrFilter {
  readonly value: string | null;
}

/** A column of the table, as SQLite describes it. */
export interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly dflt_value: string | null;
  readonly pk: number;
}

/**
 * Where PR values are stored. Methods take batches.
 *
 * Promises of every engine: what getPr answered is on disk (as the durability mode says) when its promise resolves,
 * and no value is given to two checksums of a package, even with several servers on one database. Read-only engines
 * answer by the same rule and store nothing. Rows whose value is not countable (revision.ts) are skipped
 * with a warning, and no such value is ever given out.
 */
export interface PrStore {
  readonly readOnly: boolean;
  /** What is asked of the memory in front of the engine. */
  readonly cache: CacheState;
  /** Decides by `decidePr`, in order, and stores what is new. */
  getPr(requests: readonly PrRequest[]): Promise<readonly PrAnswer[]>;
  /** Decides by the same rule and stores nothing, each request by itself: two new checksums get the same value. */
  peekPr(requests: readonly PrRequest[]): Promise<readonly PrAnswer[]>;
  /** The smallest and the largest value of each checksum: two, one if they are the same, or none. */
  values(keys: readonly ChecksumKey[]): Answers<readonly string[]>;
  /** The largest value of each package, or null. */
  maxima(keys: readonly PackageKey[]): Answers<string | null>;
  /** Stores rows as they are; an existing row is left alone. */
  importRows(rows: readonly PrRow[]): Promise<void>;
  /**
   * Stores all rows or none, in one transaction; existing rows are left alone.
   * @param rowsAStatement after this many rows others have their turn, though not their writes
   * @returns how many are new
   */
  importAll(rows: readonly PrRow[], rowsAStatement: number): Promise<number>;
  /** All rows of each package, in the order of the keys. */
  packageRows(keys: readonly PackageKey[]): Promise<readonly (readonly ChecksumValue[])[]>;
  /**
   * Stores all that is decided or none, in one transaction, in which nobody gives out values: what `decide` sees is what the
   * rows come beside. Look-ups go on meanwhile. Existing rows are left alone.
   * @returns how many are new
   */
  publish(publication: Publication): Promise<number>;
  countRows(filter: RowFilter): Promise<number>;
  /** How many rows there are. */
  countAll(): Promise<number>;
  /** Resolves to the number of rows removed. A removed value may be given out again. */
  removeRows(filter: RowFilter): Promise<number>;
  /** Rows in the order of their four columns, up to `limit` of those after `after`. */
  page(filter: PrFilter, after: PrRow | null, limit: number): Promise<readonly PrRow[]>;
  /** Those versions that have a text in them, among `look` behind another (null: from the first on), in an order of the engine's. */
  versions(text: string, after: string | null, look: number): Promise<VersionSlice>;
  /** The packages of versions, in the order of these and of their architectures, up to `limit`. */
  packagesOf(versions: readonly string[], limit: number): Promise<readonly PackageCount[]>;
  columns(): Promise<readonly ColumnInfo[]>;
  /**
   * Opens what insights read, on a connection of its own.
   * @param signal ends what runs there when it is aborted
   */
  openInsightRows(signal: AbortSignal): Promise<PrInsightRows>;
  /**
   * Has the engine note what it needs to tell later which rows are newer than this moment, once a day (UTC): the rows
   * themselves have no time. Costs the writing of rows nothing.
   */
  noteMoment(moment: string): Promise<void>;
  /**
   * For each row the last moment that is known to have been before it was stored (ISO 8601, UTC): as exact as the engine notes
   * times. Null where none is known.
   */
  storedAfter(rows: readonly PrRow[]): Promise<readonly (string | null)[]>;
}
