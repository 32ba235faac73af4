import type { Found, Refused, Source, Target } from './ends.ts';
import { nameOfRow, type Part, type Row } from './parts.ts';

/** A row that was not stored, and in words which one that is and why. */
export interface Kept {
  readonly row: Row;
  readonly why: string;
}

/** What became of a slice. */
export interface Taken {
  /** Stored, or to be stored where nothing is written. */
  readonly added: number;
  readonly equal: number;
  readonly differing: readonly Kept[];
  /** The target could not store them. */
  readonly refused: readonly Kept[];
}

export interface TakeOptions {
  readonly source: Source;
  readonly target: Target;
  /** Writes nothing. */
  readonly dryRun: boolean;
  /** The target has no row of that part but those that came from here: nothing is looked up before. */
  readonly fresh: boolean;
}

/** Puts rows of a source that the target can hold into it. What differs there stays. */
export async function take(part: Part, rows: readonly Row[], options: TakeOptions): Promise<Taken> {
  const { target, dryRun, fresh } = options;
  if (fresh && !dryRun) {
    const { stored, refused } = await target.add(part, rows);
    if (stored === rows.length) return { added: stored, equal: 0, differing: [], refused: [] };
    if (refused.length > 0 && stored + refused.length === rows.length) return added(part, stored, 0, [], rows, refused);
    // Somebody else writes there, or a row comes twice.
    return compareAll(part, rows, await target.compare(part, rows), stored, refused);
  }
  const found: readonly Found[] = target.parts.has(part) ? await target.compare(part, rows) : rows.map(() => null);
  const differing = differingOf(part, rows, found);
  const equal = found.filter((one) => one?.length === 0).length;
  const missing = rows.filter((_, i) => found[i] === null);
  const rivals = part === 'values' && target.parts.has(part) ? await rivalsOf(missing, options) : new Map();
  const wanted = missing.filter((row) => !rivals.has(row));
  for (const [row, why] of rivals) differing.push({ row, why });
  if (dryRun || wanted.length === 0) return { added: wanted.length, equal, differing, refused: [] };
  const { stored, refused } = await target.add(part, wanted);
  if (stored + refused.length === wanted.length) return added(part, stored, equal, differing, wanted, refused);
  const again = compareAll(part, wanted, await target.compare(part, wanted), stored, refused);
  return { ...again, equal: again.equal + equal, differing: [...differing, ...again.differing] };
}

function added(
  part: Part,
  stored: number,
  equal: number,
  differing: readonly Kept[],
  rows: readonly Row[],
  refused: readonly Refused[],
): Taken {
  return { added: stored, equal, differing, refused: refused.map(({ at, why }) => named(part, rows[at]!, why)) };
}

const named = (part: Part, row: Row, why: string): Kept => ({ row, why: `${nameOfRow(part, row)}: ${why}` });

function differingOf(part: Part, rows: readonly Row[], found: readonly Found[]): Kept[] {
  return rows.flatMap((row, i) => {
    const columns = found[i] ?? [];
    return columns.length > 0 ? [named(part, row, `has another ${columns.join(', ')} there`)] : [];
  });
}

/** After rows were added of which some were there. */
function compareAll(
  part: Part,
  rows: readonly Row[],
  found: readonly Found[],
  stored: number,
  refused: readonly Refused[],
): Taken {
  const same = found.filter((one) => one?.length === 0).length;
  return added(part, stored, Math.max(0, same - stored), differingOf(part, rows, found), rows, refused);
}

/**
 * Rows whose value another checksum of the package has in the target, and not in the source: with both, two packages would
 * have one PR. A source may itself have given a value twice; that is copied as it is.
 */
async function rivalsOf(rows: readonly Row[], { source, target }: TakeOptions): Promise<Map<Row, string>> {
  const rivals = rows.length > 0 ? await target.rivals(rows) : [];
  const known = rivals.length > 0 ? await source.compare('values', rivals) : [];
  const places = new Map<string, string>();
  for (const [i, [version, pkgarch, checksum, value]] of rivals.entries())
    if (known[i] === null) places.set(JSON.stringify([version, pkgarch, value]), checksum ?? 'NULL');
  return new Map(
    rows.flatMap((row): [Row, string][] => {
      const [version, pkgarch, , value] = row;
      const other = places.get(JSON.stringify([version, pkgarch, value]));
      return other === undefined
        ? []
        : [[row, `${nameOfRow('values', row)}: the value is that of checksum ${other} there`]];
    }),
  );
}
