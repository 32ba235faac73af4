import type { InTurns } from '../in-turns.ts';
import { compareTexts, Top } from '../top.ts';
import { KnownUnihashes } from './known-unihashes.ts';
import { bareTask, type NameFields } from './object-name.ts';
import { Packages } from './packages.ts';

/** A unihash of the hash server, and the oldest report of a task that has it; null where there is none. */
export interface UnihashRow extends NameFields {
  /** ISO 8601. */
  readonly created: string | null;
}

/** An object that no unihash names. */
export interface Orphan {
  readonly unihash: string;
  readonly PN: string;
  readonly task: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Tally {
  readonly PN: string | null;
  readonly task: string | null;
  unihashes: number;
  /** Without an object. */
  missing: number;
  /** Neither: it is not known whether they have one. */
  unknown: number;
  /** The first report of those that are missing, and since when they are known to be; seconds since 1970, 0: not known. */
  oldestReport: number;
  missingSince: number;
  /** Objects that no unihash names, and their size. */
  orphans: number;
  orphanBytes: number;
}

export interface Totals {
  readonly unihashes: number;
  readonly present: number;
  readonly missing: number;
  /** Missing, but reported so lately that the object may be on its way. */
  readonly recent: number;
  readonly unknown: number;
  readonly orphans: number;
  readonly orphanBytes: number;
  /** Objects that are named by no unihash, but so new that the report may be on its way. */
  readonly recentOrphans: number;
}

/** What becomes of a unihash. */
export type State = 'present' | 'missing' | 'recent' | 'unknown';

/** Recipes of objects that no unihash names are chosen by whoever writes to the folder: further ones are one. */
const MAX_TALLIES = 100_000;
/** Unihashes, or recipes, until others get a turn: a millisecond or two. */
const A_TURN = 1024;

/** What is compared: the unihashes of a server, and what is found of their objects. */
export class Survey {
  readonly known = new KnownUnihashes();
  readonly packages = new Packages();
  readonly #orphans = new Map<string, { PN: string | null; task: string | null; count: number; bytes: number }>();
  readonly #now: number;
  readonly #minAge: number;
  readonly #maxAge: number;
  #recentOrphans = 0;

  /**
   * @param now in seconds since 1970
   * @param minAge of what is younger, in seconds, it cannot be told yet
   * @param maxAge what was found out longer ago, in seconds, is not known any more
   */
  constructor(now: number, minAge: number, maxAge = 0) {
    this.#now = now;
    this.#minAge = minAge;
    this.#maxAge = maxAge;
  }

  /** In seconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** In seconds. */
  get maxAge(): number {
    return this.#maxAge;
  }

  addUnihashes(rows: readonly UnihashRow[]): void {
    for (const row of rows) {
      // What other servers left in a database may be anything.
      if (!/^[0-9a-f]{64}$/.test(row.unihash)) continue;
      const before = this.known.size;
      const number = this.known.add(row.unihash);
      const created = row.created === null ? Number.NaN : Date.parse(row.created) / 1000;
      const reported = Number.isNaN(created) ? 0 : Math.max(1, Math.floor(created));
      const earlier = this.known.get(number, 'reported');
      const isNew = this.known.size > before;
      if (!isNew && (reported === 0 || (earlier > 0 && earlier <= reported))) continue;
      this.known.set(number, 'reported', reported);
      if (isNew || row.PN !== null) this.known.set(number, 'package', this.packages.add(row));
    }
  }

  /** An object was found. @returns whether a unihash names it */
  foundObject(unihash: string): boolean {
    const number = this.known.find(unihash);
    if (number === null) return false;
    this.known.setPresent(number);
    this.known.set(number, 'missingSince', 0);
    return true;
  }

  /** Whether an object that no unihash names is counted: its report may be on its way. */
  foundOrphan({ PN, task, bytes }: Omit<Orphan, 'path' | 'unihash'>, modified: number): boolean {
    if (modified > this.#now - this.#minAge) {
      this.#recentOrphans++;
      return false;
    }
    let key = JSON.stringify([PN, task]);
    if (!this.#orphans.has(key) && this.#orphans.size === MAX_TALLIES) key = '';
    const tally = this.#orphans.get(key) ?? {
      PN: key && PN.slice(0, 255),
      task: key && task.slice(0, 255),
      count: 0,
      bytes: 0,
    };
    this.#orphans.set(key, { ...tally, count: tally.count + 1, bytes: tally.bytes + bytes });
    return true;
  }

  /** All that was not found is missing, from now on or since it was first seen to be. */
  *closeWalk(): InTurns<void> {
    for (let number = 0; number < this.known.size; number++) {
      if (!this.known.isPresent(number)) this.noteMissing(number);
      if (number % A_TURN === 0) yield;
    }
  }

  noteMissing(number: number): void {
    this.known.set(number, 'askedAt', this.#now);
    if (this.known.get(number, 'missingSince') === 0) this.known.set(number, 'missingSince', this.#now);
  }

  state(number: number): State {
    if (this.known.isPresent(number)) return 'present';
    if (this.known.get(number, 'missingSince') === 0) return 'unknown';
    if (this.known.get(number, 'askedAt') < this.#now - this.#maxAge) return 'unknown';
    return this.known.get(number, 'reported') > this.#now - this.#minAge ? 'recent' : 'missing';
  }

  /** The unihashes in a state, by number. */
  *numbers(state: State): Generator<number> {
    for (let number = 0; number < this.known.size; number++) if (this.state(number) === state) yield number;
  }

  *totals(): InTurns<Totals> {
    const counts = { present: 0, missing: 0, recent: 0, unknown: 0 };
    for (let number = 0; number < this.known.size; number++) {
      counts[this.state(number)]++;
      if (number % A_TURN === 0) yield;
    }
    let [orphans, orphanBytes] = [0, 0];
    for (const { count, bytes } of this.#orphans.values()) {
      orphans += count;
      orphanBytes += bytes;
    }
    return { unihashes: this.known.size, ...counts, orphans, orphanBytes, recentOrphans: this.#recentOrphans };
  }

  /**
   * By recipe and task, those first that have most to tell: missing unihashes, then objects that no unihash names. Those that have
   * nothing to tell are left out.
   * @returns so many of them, and how many more there are
   */
  *byRecipe(limit: number): InTurns<{ readonly first: readonly Tally[]; readonly more: number }> {
    const tallies = new Map<string, Tally>();
    const tallyOf = (PN: string | null, task: string | null): Tally => {
      const key = JSON.stringify([PN, task]);
      let tally = tallies.get(key);
      if (!tally) {
        tally = {
          PN,
          task,
          unihashes: 0,
          missing: 0,
          unknown: 0,
          oldestReport: 0,
          missingSince: 0,
          orphans: 0,
          orphanBytes: 0,
        };
        tallies.set(key, tally);
      }
      return tally;
    };
    const ofPackage: Tally[] = [];
    for (let i = 0; i < this.packages.size; i++) {
      const { PN, task } = this.packages.get(i);
      ofPackage.push(tallyOf(PN, task));
      if (i % A_TURN === 0) yield;
    }
    for (let number = 0; number < this.known.size; number++) {
      if (number % A_TURN === 0) yield;
      const tally = ofPackage[this.known.get(number, 'package')]!;
      tally.unihashes++;
      const state = this.state(number);
      if (state === 'unknown') tally.unknown++;
      if (state !== 'missing') continue;
      tally.missing++;
      tally.oldestReport = earlier(tally.oldestReport, this.known.get(number, 'reported'));
      tally.missingSince = earlier(tally.missingSince, this.known.get(number, 'missingSince'));
    }
    let read = 0;
    for (const { PN, task, count, bytes } of this.#orphans.values()) {
      const tally = tallyOf(PN || null, task === null ? null : bareTask(task) || null);
      tally.orphans += count;
      tally.orphanBytes += bytes;
      if (read++ % A_TURN === 0) yield;
    }
    const first = new Top<Tally>(limit, byWhatTheyTell);
    let telling = 0;
    for (const tally of tallies.values()) {
      if (tally.missing === 0 && tally.orphans === 0) continue;
      first.add(tally);
      if (telling++ % A_TURN === 0) yield;
    }
    return { first: first.list(), more: Math.max(0, telling - limit) };
  }
}

function earlier(a: number, b: number): number {
  return a === 0 || (b > 0 && b < a) ? b : a;
}

function byWhatTheyTell(a: Tally, b: Tally): number {
  return b.missing - a.missing || b.orphans - a.orphans || compareTexts(a.PN, b.PN) || compareTexts(a.task, b.task);
}
