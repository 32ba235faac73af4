/** A task that was missed, and about how often. */
export interface MissCount {
  /** A method and a taskhash, joined by one blank. */
  readonly task: string;
  readonly count: number;
}

/** The last hour is kept in parts, each of which is forgotten as a whole. */
const PARTS = 4;
const PART_MS = 15 * 60_000;
/** Tasks of a part: so many are kept when it is full … */
const KEPT = 500;
/** … and it is full with these. In all at most 4,000 lines of 513 characters: 2 MB, and in use less than 1 MB. */
const MOST = 1000;

/** So many misses of a second are all noted, … */
const ALL_NOTED = 500;
/** … the next so many by one in 32, and the rest by one in 1,024: however many there are, a second of them costs about 2 ms. */
const SOME_NOTED = 500;
const SECOND_MS = 1000;

interface Part {
  readonly began: number;
  readonly counts: Map<string, number>;
}

/**
 * Which tasks were missed most in the last hour. Counts are of the tasks that come again and again: what is rare is dropped when there is
 * no more room, and then the others count less by as much (Misra and Gries). Where many are missed at once only some are
 * noted, each for those that are not.
 */
export class TopMisses {
  private parts: Part[] = [];
  /** Misses to pass over before the next that is noted. */
  private pass = 0;
  /** For how many a noted one stands. */
  private weight = 1;
  private notedInSecond = 0;
  private secondBegan = Number.NEGATIVE_INFINITY;
  private readonly now: () => number;
  private readonly random: () => number;

  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.now = now;
    this.random = random;
  }

  /** Of misses that are answered together, the place of the first to be noted: none of them where there are not so many. */
  first(): number {
    return this.pass;
  }

  /** Notes a miss at its place among those that were answered together; returns the place of the next to be noted. */
  note(task: string, place: number): number {
    const now = this.now();
    if (now - this.secondBegan >= SECOND_MS) {
      this.secondBegan = now;
      this.notedInSecond = 0;
      this.weight = 1;
    }
    this.add(task, this.weight, now);
    this.notedInSecond++;
    this.weight = this.notedInSecond < ALL_NOTED ? 1 : this.notedInSecond < ALL_NOTED + SOME_NOTED ? 32 : 1024;
    // At random: streams are cut at the same places again and again.
    return place + (this.weight === 1 ? 1 : 1 + Math.floor(this.random() * (2 * this.weight - 1)));
  }

  /** The misses that were answered together are over; `next` is the place of the one to be noted next. */
  passed(misses: number, next: number): void {
    this.pass = next - misses;
  }

  /** Notes those of texts that have to be noted. */
  noteAll(tasks: readonly string[]): void {
    let at = this.first();
    while (at < tasks.length) at = this.note(tasks[at]!, at);
    this.passed(tasks.length, at);
  }

  /** The tasks that were missed most in the last hour, most often first. */
  top(limit: number): readonly MissCount[] {
    const oldest = this.now() - PARTS * PART_MS;
    const sums = new Map<string, number>();
    for (const { began, counts } of this.parts) {
      if (began <= oldest) continue;
      for (const [task, count] of counts) sums.set(task, (sums.get(task) ?? 0) + count);
    }
    return topOf(sums, limit);
  }

  private add(task: string, weight: number, now: number): void {
    let part = this.parts[0];
    if (!part || now - part.began >= PART_MS) {
      part = { began: now, counts: new Map() };
      this.parts = [part, ...this.parts.slice(0, PARTS - 1)];
    }
    const { counts } = part;
    const count = counts.get(task);
    if (count !== undefined) return void counts.set(task, count + weight);
    if (counts.size >= MOST) makeRoom(counts);
    // A copy: a part of a text keeps all of it in memory.
    counts.set(Buffer.from(task).toString(), weight);
  }
}

/** What several processes of one server have missed, as one. */
export function joinMisses(lists: readonly (readonly MissCount[])[], limit: number): readonly MissCount[] {
  const sums = new Map<string, number>();
  for (const { task, count } of lists.flat()) sums.set(task, (sums.get(task) ?? 0) + count);
  return topOf(sums, limit);
}

function topOf(sums: ReadonlyMap<string, number>, limit: number): readonly MissCount[] {
  const all = [...sums].map(([task, count]) => ({ task, count }));
  return all.sort((a, b) => b.count - a.count || (a.task < b.task ? -1 : 1)).slice(0, limit);
}

/** Takes from every count as much as the first has that does not stay. */
function makeRoom(counts: Map<string, number>): void {
  const sorted = Float64Array.from(counts.values()).sort();
  const less = sorted[sorted.length - 1 - KEPT]!;
  for (const [task, count] of counts) {
    if (count > less) counts.set(task, count - less);
    else counts.delete(task);
  }
}
