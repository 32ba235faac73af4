import { createHash } from 'node:crypto';
import type { RowValues } from '../hashserv/store.ts';
import { ROW_COLUMNS } from '../hashserv/where.ts';
import type { PrRow } from '../prserv/store.ts';
import { matchesGlob } from './glob.ts';

/** Which rows of a source are wanted; null: all. */
export interface Selection {
  readonly hashes: boolean;
  readonly prs: boolean;
  /** Recipes, as a pattern. */
  readonly packages: string | null;
  /** An architecture of PR values, as a pattern. */
  readonly pkgarch: string | null;
  /** Methods of hash equivalence. */
  readonly methods: readonly string[] | null;
  readonly since: Since | null;
}

/** Only hashes that came to the source after a row, or were reported since a time (ISO 8601, UTC). */
export type Since = { readonly id: number } | { readonly time: string };

const PN = ROW_COLUMNS.outhashes.indexOf('PN');
const CREATED = ROW_COLUMNS.outhashes.indexOf('created');

/** The recipe of a `version`, which is `<PN>-<PV>-<PR>`. */
export function recipeOf(version: string): string {
  return /^(.+)-[^-]*-[^-]*$/.exec(version)?.[1] ?? version;
}

export function wantsValue({ packages, pkgarch }: Selection, row: Pick<PrRow, 'version' | 'pkgarch'>): boolean {
  if (pkgarch !== null && !matchesGlob(row.pkgarch, pkgarch)) return false;
  return packages === null || matchesGlob(recipeOf(row.version), packages);
}

/** Whether tasks are picked by what their reports say: those without one are then left out. */
export function picksReports({ packages, since }: Selection): boolean {
  return packages !== null || (since !== null && 'time' in since);
}

export function wantsMethod({ methods }: Selection, method: string | null): boolean {
  return methods === null || (method !== null && methods.includes(method));
}

export function wantsOuthash(selection: Selection, row: RowValues): boolean {
  const { packages, since } = selection;
  if (!wantsMethod(selection, row[0]!)) return false;
  if (packages !== null && !matchesGlob(row[PN] ?? '', packages)) return false;
  if (since === null || !('time' in since)) return true;
  // Older files have a blank where ISO 8601 has a T.
  return (row[CREATED] ?? '').replace(' ', 'T') >= since.time;
}

/** A short name for a selection of hashes: what was read for one says nothing about another. */
export function nameOfSelection({ packages, methods }: Selection): string {
  const text = JSON.stringify([packages, methods && [...methods].sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** @returns null for what is neither the id of a row nor a time */
export function parseSince(text: string): Since | null {
  if (/^\d{1,15}$/.test(text)) return { id: Number(text) };
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return null;
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(text) || !/[T ]/.test(text) ? text : `${text}Z`;
  const moment = new Date(zoned.replace(' ', 'T'));
  return Number.isNaN(moment.getTime()) ? null : { time: moment.toISOString().slice(0, -1) };
}
