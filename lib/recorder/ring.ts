/** How long a bucket is, and how many are kept. */
export interface RingShape {
  readonly bucketMs: number;
  readonly buckets: number;
}

/** Figures by the time they belong to, the newest of them in place of the oldest. The room is taken once and for all. */
export class Ring {
  readonly shape: RingShape;
  /** Which bucket is in each place: its number since 1970, or NaN. */
  readonly numbers: Float64Array;
  /** By column, then by place; NaN is what is not known. */
  readonly values: Float32Array;
  private readonly columns: number;

  constructor(shape: RingShape, columns: number) {
    this.shape = shape;
    this.columns = columns;
    this.numbers = new Float64Array(shape.buckets).fill(Number.NaN);
    this.values = new Float32Array(shape.buckets * columns).fill(Number.NaN);
  }

  numberAt(ms: number): number {
    return Math.floor(ms / this.shape.bucketMs);
  }

  has(number: number): boolean {
    return this.numbers[this.place(number)] === number;
  }

  /** Makes a bucket, in which nothing is known, unless it is there. */
  open(number: number): void {
    if (this.has(number)) return;
    const place = this.place(number);
    this.numbers[place] = number;
    for (let column = 0; column < this.columns; column++) this.values[column * this.shape.buckets + place] = Number.NaN;
  }

  /** NaN where it is not known. */
  get(number: number, column: number): number {
    return this.has(number) ? this.values[this.at(number, column)]! : Number.NaN;
  }

  /** The bucket must be there. */
  set(number: number, column: number, value: number): void {
    this.values[this.at(number, column)] = value;
  }

  /** Adds to what was counted; the bucket must be there. */
  add(number: number, column: number, value: number): void {
    const at = this.at(number, column);
    const before = this.values[at]!;
    this.values[at] = (Number.isNaN(before) ? 0 : before) + value;
  }

  /** The number of the oldest bucket; null: there is none. */
  get oldest(): number | null {
    let oldest: number | null = null;
    for (const number of this.numbers) if (number < (oldest ?? Number.POSITIVE_INFINITY)) oldest = number;
    return oldest;
  }

  private place(number: number): number {
    return number % this.shape.buckets;
  }

  private at(number: number, column: number): number {
    return column * this.shape.buckets + this.place(number);
  }
}
