/**
 * A queue: first in, first out. It is only one array and an index of how far it has been taken, so
 * nothing can come out of order, however pushes and takes follow each other.
 * Taking costs constant time on average, and taken items are not kept alive.
 */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  /** Index of the oldest; the slots before it are empty. */
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  get isEmpty(): boolean {
    return this.head === this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** Adds the items in order. The queue owns the array from now on: the caller must not change it. */
  pushAll(items: T[]): void {
    // An empty queue takes over the array: lines that are taken as they came are never copied.
    if (!this.isEmpty) for (const item of items) this.items.push(item);
    else if (items.length > 0) {
      this.items = items;
      this.head = 0;
    }
  }

  /** The item behind `index` others, or undefined if there is none. */
  at(index: number): T | undefined {
    return this.items[this.head + index];
  }

  /** The oldest `count`, or all if there are fewer, in order. They stay in the queue. */
  oldest(count: number): T[] {
    return this.items.slice(this.head, this.head + count) as T[];
  }

  /** Takes the oldest; undefined when nothing waits. */
  take(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.advance(this.head + 1);
    return item;
  }

  /** Takes the oldest `count`, or all if there are fewer, in order. */
  takeMany(count: number): T[] {
    const to = Math.min(this.head + count, this.items.length);
    if (this.head === 0 && to === this.items.length) {
      const all = this.items as T[];
      this.items = [];
      return all;
    }
    const taken = this.items.slice(this.head, to) as T[];
    this.items.fill(undefined, this.head, to);
    this.advance(to);
    return taken;
  }

  /** How many items are before the first `item` among the oldest `most`; the number of those if it is not among them. */
  countBefore(item: T, most: number): number {
    const end = Math.min(this.head + most, this.items.length);
    let at = this.head;
    while (at < end && this.items[at] !== item) at++;
    return at - this.head;
  }

  /** Removes the item, wherever it is. */
  remove(item: T): void {
    const at = this.items.indexOf(item, this.head);
    if (at === this.head) this.take();
    else if (at > this.head) this.items.splice(at, 1);
  }

  /** Removes the unwanted items from index `from` on; the rest keep their order. */
  keep(isWanted: (item: T) => boolean, from = 0): void {
    const first = this.head + from;
    let end = first;
    for (let at = first; at < this.items.length; at++) {
      if (isWanted(this.items[at] as T)) this.items[end++] = this.items[at];
    }
    if (end < this.items.length) this.items.length = end;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
  }

  private advance(to: number): void {
    this.head = to;
    if (to === this.items.length) this.clear();
    else if (to >= 64 && to * 2 >= this.items.length) {
      // Copies at most as many items as were taken since the last time.
      this.items = this.items.slice(to);
      this.head = 0;
    }
  }
}
