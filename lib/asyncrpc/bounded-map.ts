/**
 * A map that is bounded by what its entries weigh together: `trim` forgets the oldest until the rest fits. An entry is as
 * old as when it was set, or used, last.
 */
export class BoundedMap<Key, Value> {
  /** Oldest first: a Map keeps the order of insertion. */
  private readonly entries = new Map<Key, Value>();
  private readonly max: number;
  private readonly weigh: (key: Key, value: Value) => number;
  private total = 0;

  /** @param weigh what an entry weighs; as long as it is here, always the same, but for `change` */
  constructor(max: number, weigh: (key: Key, value: Value) => number = () => 1) {
    this.max = max;
    this.weigh = weigh;
  }

  /** What all entries weigh. */
  get weight(): number {
    return this.total;
  }

  /** How many entries there are. */
  get size(): number {
    return this.entries.size;
  }

  has(key: Key): boolean {
    return this.entries.has(key);
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  /** The value, whose entry becomes the youngest. */
  use(key: Key): Value | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  /** Sets an entry, which becomes the youngest. Nothing is forgotten before `trim`. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.entries.set(key, value);
    this.total += this.weigh(key, value);
  }

  /** Changes a value that is here, and with it what its entry weighs. */
  change(key: Key, change: (value: Value) => void): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.total -= this.weigh(key, value);
    change(value);
    this.total += this.weigh(key, value);
  }

  delete(key: Key): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.total -= this.weigh(key, value);
  }

  /** Forgets the oldest entries until the rest fits; also those at the front that are `over`. */
  trim(over?: (value: Value) => boolean): void {
    for (const [key, value] of this.entries) {
      if (this.total <= this.max && !over?.(value)) return;
      this.delete(key);
    }
  }

  clear(): void {
    this.entries.clear();
    this.total = 0;
  }
}
