import { OTHER_METHODS } from '../meter/task-lookups.ts';
import { COLUMNS, COUNTS, LEVELS, LOOKUPS, METHOD_PLACES, methodColumns, quantile, TIMES } from './columns.ts';
import type { Figures } from './figures.ts';
import { Ring, type RingShape } from './ring.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A day of minutes and a month of hours: with their 55 columns half a megabyte. */
export const SHAPES: readonly RingShape[] = [
  { bucketMs: MINUTE_MS, buckets: 24 * 60 },
  { bucketMs: HOUR_MS, buckets: 31 * 24 },
];

const OF: ReadonlyMap<string, number> = new Map(COLUMNS.map((name, i) => [name, i]));
export const columnOf = (name: string): number => OF.get(name)!;
const LEVEL_COLUMNS = LEVELS.map(({ name }) => columnOf(name));

/** A ring, and what its newest bucket is made of as long as it is not over. */
interface Track {
  readonly ring: Ring;
  /** The bucket that was written last; null before the first. */
  current: number | null;
  /** How long what happened in it took, in the order of `TIMES`. */
  readonly times: (Float64Array | null)[];
}

/** The figures of a server over time, from what it has counted since its start. Knows no clock and no file. */
export class Tracks {
  /** Minutes, and hours. */
  readonly rings: readonly Ring[] = SHAPES.map((shape) => new Ring(shape, COLUMNS.length));
  /** Those that have a place of their own. */
  readonly methods: (string | null)[] = [];
  /** Whether anything was counted since the start. */
  isUsed = false;
  private readonly tracks: readonly Track[] = this.rings.map((ring) => ({
    ring,
    current: null,
    times: TIMES.map(() => null),
  }));
  private readonly counted = new Map<string, number>();
  private readonly times = new Map<string, Float64Array>();

  /** The server is there from now on, and has counted nothing yet. */
  begin(ms: number): void {
    for (const track of this.tracks) {
      track.current = track.ring.numberAt(ms);
      track.ring.open(track.current);
    }
  }

  /** Methods that an earlier server has given places; those of which nothing is left lose theirs. */
  setMethods(names: readonly (string | null)[]): void {
    for (const [place, name] of names.slice(0, METHOD_PLACES - 1).entries())
      this.methods.push(this.holds(place) ? name : null);
  }

  /** Adds what was counted since the last call to the buckets of a moment. */
  note({ snapshot, methods }: Figures, ms: number): void {
    const counts = COUNTS.map(({ name, read }) => ({ name, total: read(snapshot) }));
    const isServed = snapshot.bakeserv_requests_total?.some(({ labels }) => labels[0] === 'hashserv') ?? false;
    const known = [
      ...counts.flatMap(({ name, total }) => (total === null ? [] : [name])),
      ...TIMES.flatMap(({ count, read }) => (count === null || read(snapshot) === null ? [] : [count])),
      ...(isServed ? LOOKUPS : []),
    ].map(columnOf);
    for (const track of this.tracks) this.enter(track, track.ring.numberAt(ms), known);
    for (const { name, total } of counts) if (total !== null) this.add(name, this.since(name, total));
    for (const { name, read } of LEVELS) this.setLevel(name, read(snapshot));
    for (const [i, { read, p50, p99, count }] of TIMES.entries()) this.addTimes(i, read(snapshot), p50, p99, count);
    for (const { method, hits, misses, upstreamHits } of methods) {
      const place = methodColumns(this.placeOf(method));
      for (const [i, total] of [hits, misses, upstreamHits].entries()) {
        const more = this.since(`${LOOKUPS[i]} ${method}`, total);
        this.add(LOOKUPS[i]!, more);
        this.add(place[i]!, more);
      }
    }
  }

  /**
   * The bucket that is written to from now on. Between the last one and this nothing has happened.
   * @param known the columns of what is counted: it was 0 there
   */
  private enter(track: Track, number: number, known: readonly number[]): void {
    const { ring, current } = track;
    if (current !== number) {
      const levels = LEVEL_COLUMNS.map((column) => [column, ring.get(current ?? Number.NaN, column)] as const);
      const from = Math.max(current ?? number, number - ring.shape.buckets);
      for (let each = from; each < number; each++) {
        ring.open(each);
        for (const [column, level] of levels) ring.set(each, column, level);
        for (const column of known) ring.add(each, column, 0);
      }
      ring.open(number);
      track.current = number;
      track.times.fill(null);
    }
    for (const column of known) ring.add(number, column, 0);
  }

  /** How much more it is than when it was looked at last. */
  private since(key: string, total: number): number {
    const before = this.counted.get(key) ?? 0;
    this.counted.set(key, total);
    if (total > before) this.isUsed = true;
    return Math.max(0, total - before);
  }

  private add(name: string, more: number): void {
    for (const { ring, current } of this.tracks) ring.add(current!, columnOf(name), more);
  }

  private setLevel(name: string, value: number | null): void {
    for (const { ring, current } of this.tracks) ring.set(current!, columnOf(name), value ?? Number.NaN);
  }

  private addTimes(i: number, totals: Float64Array | null, p50: string, p99: string, count: string | null): void {
    if (!totals) return;
    const before = this.times.get(p50);
    this.times.set(p50, totals);
    const more = totals.map((total, bound) => Math.max(0, total - (before?.[bound] ?? 0)));
    const sum = more.reduce((all, each) => all + each, 0);
    for (const { ring, current, times } of this.tracks) {
      const sums = times[i];
      const all = sums ? more.map((each, bound) => each + sums[bound]!) : more;
      times[i] = all;
      if (sum > 0) {
        ring.set(current!, columnOf(p50), quantile(all, 0.5));
        ring.set(current!, columnOf(p99), quantile(all, 0.99));
      }
      if (count !== null) ring.add(current!, columnOf(count), sum);
    }
  }

  private holds(place: number): boolean {
    const columns = methodColumns(place).map(columnOf);
    return this.rings.some(({ values, shape: { buckets } }) =>
      columns.some((column) => values.subarray(column * buckets, (column + 1) * buckets).some((value) => value > 0)),
    );
  }

  private placeOf(method: string): number {
    const others = METHOD_PLACES - 1;
    if (method === OTHER_METHODS) return others;
    const place = this.methods.indexOf(method);
    if (place >= 0) return place;
    const free = this.methods.indexOf(null);
    const given = free >= 0 ? free : this.methods.length;
    if (given < others) this.methods[given] = method;
    return given;
  }
}
