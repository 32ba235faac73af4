import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { openDatabaseSource, openDatabaseTarget } from '../../lib/server.ts';
import { copy, partsToCopy } from '../../lib/transfer/copy.ts';
import type { SliceLimits, Source, Target } from '../../lib/transfer/ends.ts';
import { ALL_PARTS, canonicalRow, PARTS, type Part, type Row } from '../../lib/transfer/parts.ts';
import type { PartReport } from '../../lib/transfer/report.ts';
import { hash } from './helpers.ts';

export type Rows = Partial<Record<Part, readonly Row[]>>;

export interface CopyWishes {
  readonly users?: boolean;
  readonly dryRun?: boolean;
  readonly skipUnstorable?: boolean;
  readonly inUse?: boolean;
  /** Ends that are no databases. */
  readonly open?: {
    source?: (name: string, log: typeof SILENT) => Promise<Source>;
    target?: typeof openDatabaseTarget;
  };
  readonly limits?: SliceLimits;
  readonly signal?: AbortSignal;
  readonly onRows?: (phase: 'copy' | 'check', rows: number) => Promise<void>;
  /** Changes an end, as a fault would. */
  readonly around?: (ends: { source: Source; target: Target }) => { source: Source; target: Target };
}

/** So that there are many slices. */
const SMALL: SliceLimits = { rows: 7, bytes: 10_000 };

const servicesOf = (parts: readonly Part[]) => new Set(parts.map((part) => PARTS[part].service));

/** Puts rows into a database, which is made with the tables of some parts. */
export async function fill(name: string, rows: Rows, parts: readonly Part[] = ALL_PARTS): Promise<string> {
  const target = await openDatabaseTarget(name, {
    services: servicesOf(parts),
    inUse: false,
    dryRun: false,
    log: SILENT,
  });
  try {
    for (const part of ALL_PARTS) if (rows[part]?.length) await target.add(part, rows[part]);
  } finally {
    await target.close();
  }
  return name;
}

/** Everything in a database, in its order, as every engine gives it back. */
export async function contentOf(name: string): Promise<Record<Part, Row[]>> {
  const source = await openDatabaseSource(name, SILENT);
  const content: Record<Part, Row[]> = { users: [], unihashes: [], outhashes: [], config: [], values: [] };
  try {
    for (const part of source.parts) {
      for (let after: string | null = null; ; ) {
        const slice = await source.slice(part, after, SMALL);
        content[part].push(...slice.rows.map((row) => canonicalRow(part, row)));
        after = slice.next;
        if (after === null) break;
      }
    }
  } finally {
    await source.close();
  }
  // They have no order of their own.
  content.values.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return content;
}

export async function copyBetween(from: string, to: string, wishes: CopyWishes = {}): Promise<Map<Part, PartReport>> {
  const { users = false, dryRun = false, skipUnstorable = false, inUse = false } = wishes;
  const open: Required<NonNullable<CopyWishes['open']>> = {
    source: openDatabaseSource,
    target: openDatabaseTarget,
    ...wishes.open,
  };
  const source = await open.source(from, SILENT);
  try {
    const parts = partsToCopy(source, { hashes: true, prs: true, users });
    const target = await open.target(to, { services: servicesOf(parts), inUse, dryRun, log: SILENT });
    try {
      const signal = wishes.signal ?? new AbortController().signal;
      const onRows = wishes.onRows ?? (async () => {});
      const ends = (wishes.around ?? ((given) => given))({ source, target });
      const reports = await copy({
        ...ends,
        parts,
        dryRun,
        skipUnstorable,
        signal,
        onRows,
        limits: wishes.limits ?? SMALL,
      });
      return new Map(reports.map((report) => [report.part, report]));
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', ' ', "it's", '"', '\\', '{a,b}', 'NULL', 'null', '\n', '\u001b[31m', '\ufffd', '💥', 'é'),
  fc.nat().map(hash),
);
const optional: fc.Arbitrary<string | null> = fc.option(text, { nil: null });
const created: fc.Arbitrary<string | null> = fc.oneof(
  fc.constant(null),
  fc
    .tuple(
      fc.date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }),
      fc.constantFrom('T', ' '),
      fc.constantFrom('', '.5', '.123456', '.000000'),
      fc.constantFrom('', '+00:00'),
    )
    .map(([date, between, fraction, zone]) => date.toISOString().slice(0, 19).replace('T', between) + fraction + zone),
);
const forms: Record<Part, fc.Arbitrary<Row>> = {
  users: fc.tuple(text, text, text),
  unihashes: fc.tuple(text, text, text, text),
  outhashes: fc.tuple(text, text, text, created, ...Array.from({ length: 6 }, () => optional)),
  config: fc.tuple(text, optional),
  values: fc.tuple(text, text, text, fc.oneof(fc.nat().map(String), text)),
};

/** Rows that every engine can hold, each key once. */
export const anyRows: fc.Arbitrary<Rows> = fc.record(
  Object.fromEntries(
    ALL_PARTS.map((part) => [
      part,
      fc.uniqueArray(forms[part], {
        maxLength: 20,
        selector: (row) => JSON.stringify(row.slice(0, PARTS[part].keys)),
      }),
    ]),
  ),
);
