import type { FoundPage, RowSearch, SearchLimits } from '../hashserv/store.ts';
import type { Part, Row } from './parts.ts';

/** Rows that one step reads. */
export interface SliceLimits {
  readonly rows: number;
  /** About so many bytes, but always at least one row. */
  readonly bytes: number;
}

/** A row that cannot be given as texts. */
export interface OddRow {
  /** Its key, as far as that can be shown. */
  readonly row: Row;
  readonly why: string;
}

export interface Slice {
  /** In the order in which they were stored. */
  readonly rows: readonly Row[];
  readonly odd: readonly OddRow[];
  /** Where the next slice begins; null at the end. Only its source can read it. */
  readonly next: string | null;
}

/** What is stored under the key of a row: null for nothing, otherwise the columns that differ (none: it is the same). */
export type Found = readonly string[] | null;

/**
 * Where rows come from: a database, a running server. Every promise fails with an error that names it.
 */
export interface Source {
  /** As messages name it; no password in it. */
  readonly name: string;
  /** What it has. */
  readonly parts: ReadonlySet<Part>;
  count(part: Part): Promise<number>;
  /**
   * Rows in the order they were stored, from a place that an earlier slice gave (null: from the start). Rows stored meanwhile
   * come at the end; none is given twice.
   */
  slice(part: Part, after: string | null, limits: SliceLimits): Promise<Slice>;
  /** What it has under the keys of these rows, in their order. */
  compare(part: Part, rows: readonly Row[]): Promise<readonly Found[]>;
  close(): Promise<void>;
}

/** A task of hash equivalence. */
export type Task = readonly [method: string, taskhash: string];

/** A database as a source, which can be asked more than a running server. */
export interface StoredSource extends Source {
  /** The unihash of each task, or null. */
  unihashesOf(tasks: readonly Task[]): Promise<readonly (string | null)[]>;
  /** A page of rows that are looked for (HashStore.findRows); null where the database lacks an index for that. */
  findRows(search: RowSearch, after: string | null, limits: SearchLimits): Promise<FoundPage | null>;
  /** A setting by its name, also one that no copy takes; null where there is none. */
  setting(name: string): Promise<string | null>;
}

/** A row that was not stored. */
export interface Refused {
  /** Its place among those given. */
  readonly at: number;
  readonly why: string;
}

export interface Added {
  readonly stored: number;
  readonly refused: readonly Refused[];
}

/** Where rows go. It can be read like a source, to see what is there. */
export interface Target extends Source {
  /** Why a row cannot be stored there; null where it can. */
  faultOf(part: Part, row: Row): string | null;
  /** Stores rows in their order, in one transaction; a row whose key is there stays as it is. */
  add(part: Part, rows: readonly Row[]): Promise<Added>;
  /** Its PR rows that give the value of one of these rows to another checksum of that package. */
  rivals(rows: readonly Row[]): Promise<readonly Row[]>;
}
