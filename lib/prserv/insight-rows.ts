/** A row by its key, behind which a slice begins. */
export interface PrPlace {
  readonly version: string;
  readonly pkgarch: string;
  readonly checksum: string;
  readonly value: string;
}

/** What an engine tells newer rows from older ones by, and the moment from which on rows count as newer (ISO 8601, UTC). */
export interface NewerThan {
  readonly since: string;
  readonly place: number | string;
}

/** Values of a package, some of them where it has many. */
export interface PackageValues {
  readonly version: string;
  readonly pkgarch: string;
  /** Null: a row of another program whose value is no text, or longer than any. */
  readonly values: readonly (string | null)[];
  /** How many of them are newer than was asked for; 0 where nothing was. */
  readonly newer: number;
}

/** A slice of all values, package by package. */
export interface ValuesPage {
  readonly packages: readonly PackageValues[];
  /** After which row the next slice begins; null: it was the last. */
  readonly next: PrPlace | null;
}

/**
 * What insights read, slice by slice on a connection of its own: nothing else waits for it. What changes meanwhile may be seen
 * or not.
 */
export interface PrInsightRows {
  /** Rows as far as the database knows without counting: for the progress. */
  readonly estimate: number;
  /**
   * Values of about `rows` rows behind one, package by package: the rows of one come together, in this slice or the next. The
   * order of packages is the engine's.
   */
  valuesPage(after: PrPlace | null, rows: number, newer: NewerThan | null): Promise<ValuesPage>;
  /**
   * How rows are told that were stored after a moment, or after the nearest one from which that is known: an earlier one if
   * there is one, otherwise a later one. Null: it is not known of any.
   */
  newerThan(moment: string): Promise<NewerThan | null>;
  close(): Promise<void>;
}
