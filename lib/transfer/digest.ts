import { createHash } from 'node:crypto';
import { canonicalRow, type Part, type Row } from './parts.ts';

/** A hash over rows in their order, the same whichever engine they come from. */
export interface RowDigest {
  readonly rows: number;
  add(rows: readonly Row[]): void;
  /** SHA-256, in hex. To be called once. */
  end(): string;
}

export function createDigest(part: Part): RowDigest {
  const hash = createHash('sha256');
  let count = 0;
  return {
    get rows() {
      return count;
    },
    add(rows) {
      count += rows.length;
      let text = '';
      // Each value with its length before it: no two lists of values give the same text.
      for (const row of rows)
        for (const value of canonicalRow(part, row)) text += value === null ? '-;' : `${value.length}:${value};`;
      hash.update(text);
    },
    end: () => hash.digest('hex'),
  };
}
