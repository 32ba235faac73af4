import type { FoundPage, RowSearch, RowValues } from '../hashserv/store.ts';

/** What a source has that is pulled. */
export type PullPart = 'unihashes' | 'outhashes' | 'values';

export interface PullSlice {
  /** In the order in which they were stored: of unihashes and outhashes the columns of ROW_COLUMNS, and maybe further ones; of values those of a PR row. */
  readonly rows: readonly RowValues[];
  /** Rows that cannot be given as texts. */
  readonly odd: readonly unknown[];
  /** Where the next slice begins; null at the end. */
  readonly next: string | null;
}

/** Where a pull reads from. Every promise fails with an error that names it. */
export interface PullSource {
  /** As messages name it; no password in it. */
  readonly name: string;
  readonly parts: ReadonlySet<string>;
  /** It is not the database of this server, whatever its id is: another file, maybe a copy. */
  readonly isOther: boolean;
  /** Null where it does not tell. */
  count(part: PullPart): Promise<number | null>;
  /** Rows from a place that an earlier slice gave (null: from the start); none is given twice. */
  slice(part: PullPart, after: string | null, limits: { rows: number; bytes: number }): Promise<PullSlice>;
  /** The unihash of each task, or null. */
  unihashesOf(tasks: readonly (readonly [method: string, taskhash: string])[]): Promise<readonly (string | null)[]>;
  /**
   * A page of the rows that are looked for, as HashStore.findRows has it; null where the source cannot look rows up. It may be
   * absent too: then all rows must be read for some of them.
   * @param brief without outhash_siginfo
   */
  find?(search: RowSearch, after: string | null, brief: boolean): Promise<FoundPage | null>;
  /** What tells its database from all others, wherever it is; null where it has no such thing: then it is read whole. */
  id(): Promise<string | null>;
  close(): Promise<void>;
}
