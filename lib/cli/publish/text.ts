/** What a pull has come to, as its job tells it. */
export interface PullResult {
  readonly dry_run: boolean;
  readonly on_conflict: string;
  readonly prs: PrSide | null;
  readonly hashes: HashSide | null;
}

export interface PrSide {
  readonly packages: number;
  readonly new: number;
  readonly equal: number;
  readonly conflicts: number;
  readonly raised: number;
  readonly stored: number;
  readonly conflict_rows: readonly (Row & { readonly kind: keyof typeof KINDS; readonly against: string })[];
  readonly raised_rows: readonly (Omit<Row, 'value'> & { readonly from: string; readonly to: string })[];
  readonly lifted_rows: readonly Row[];
}

export interface Row {
  readonly version: string;
  readonly pkgarch: string;
  readonly checksum: string;
  readonly value: string;
}

interface Counts {
  readonly new: number;
  readonly equal: number;
  readonly differing: number;
  readonly refused: number;
}

interface HashSide {
  readonly unihashes: Counts;
  readonly outhashes: Counts;
}

/** How many rows are named; all are in the JSON, up to 5,000 of a kind. */
const SHOWN = 20;

const KINDS = {
  'same-value': (against: string) => `the value is that of ${against} here`,
  'two-values': (against: string) => `it has ${against} here`,
  'maximum-below': (against: string) => `the package is at ${against} here`,
  refused: (against: string) => against,
} as const;

/** Whether the source had nothing at all of what was asked for. */
export function hasNothing({ prs, hashes }: PullResult): boolean {
  const rows = ({ new: fresh, equal, differing, refused }: Counts) => fresh + equal + differing + refused;
  const hashRows = hashes ? rows(hashes.unihashes) + rows(hashes.outhashes) : 0;
  return hashRows === 0 && (prs ? prs.new + prs.equal + prs.conflicts + prs.raised === 0 : true);
}

/** Why a stage was not published as it was asked for, and whether a part of it was: hashes come in slices, after the PR values. */
export function describeUnpublished({ dry_run: dryRun, prs, hashes }: PullResult, error: string): string {
  const stored = (prs?.stored ?? 0) + (hashes ? hashes.unihashes.new + hashes.outhashes.new : 0);
  if (dryRun || stored === 0) return `nothing was published: ${error}`;
  return `only what is told above was published: ${error}; the same command goes on, as long as the stage is there`;
}

/** The result in words. */
export function describePull({ dry_run: dryRun, prs, hashes }: PullResult): string[] {
  return [...(prs ? prLines(prs, dryRun) : []), ...(hashes ? hashLines(hashes) : [])];
}

/** @param named lines about rows that are not in conflict */
export function prLines(prs: PrSide, dryRun: boolean, named: readonly string[] = []): string[] {
  const counts = [
    `${prs.new} new`,
    `${prs.equal} here already`,
    ...(prs.conflicts > 0 ? [`${prs.conflicts} in conflict`] : []),
  ];
  const conflicts = prs.conflict_rows.map((row) => `${name(row)} ${row.value}: ${KINDS[row.kind](row.against)}`);
  const raised = prs.raised_rows.map((row) =>
    row.from === row.to ? `${name(row)}: ${row.to}, as there` : `${name(row)}: ${row.from} becomes ${row.to}`,
  );
  const lifted = prs.lifted_rows.map((row) => `${name(row)} ${row.value}`);
  return [
    `PR values of ${prs.packages} packages: ${counts.join(', ')}`,
    ...named,
    ...listed('in conflict:', conflicts, prs.conflicts),
    ...listed(dryRun ? 'would be raised:' : 'raised:', raised, prs.raised),
    ...listed('comes in all the same, as the next value must be above it:', lifted, lifted.length),
  ];
}

export const name = ({ version, pkgarch, checksum }: Omit<Row, 'value'>) => `  ${version} ${pkgarch} ${checksum}`;

/**
 * A heading with the first lines.
 * @param count how many there are in all
 */
export function listed(heading: string, lines: readonly string[], count: number): string[] {
  if (count === 0) return [];
  const more = count - Math.min(lines.length, SHOWN);
  return [heading, ...lines.slice(0, SHOWN), ...(more > 0 ? [`  and ${more} more; --json shows them`] : [])];
}

function hashLines({ unihashes, outhashes }: HashSide): string[] {
  const line = (what: string, { new: fresh, equal, differing, refused }: Counts) =>
    [
      `${what}: ${fresh} new, ${equal} here already`,
      ...(differing > 0 ? [`${differing} with another unihash here, which stays`] : []),
      ...(refused > 0 ? [`${refused} that no server takes`] : []),
    ].join(', ');
  return [line('unihashes', unihashes), line('reports', outhashes)];
}
