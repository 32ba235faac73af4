/** The first so many of any number of entries, by an order. In memory there are never more than twice as many. */
export class Top<Entry> {
  private readonly most: number;
  private readonly compare: (a: Entry, b: Entry) => number;
  private entries: Entry[] = [];
  /** The last that would still be among them; null while there is room. */
  private bar: Entry | null = null;

  /** @param compare negative where `a` comes first */
  constructor(most: number, compare: (a: Entry, b: Entry) => number) {
    this.most = most;
    this.compare = compare;
  }

  add(entry: Entry): void {
    if (this.bar !== null && this.compare(entry, this.bar) >= 0) return;
    if (this.entries.push(entry) >= 2 * this.most) this.trim();
  }

  /** In their order. */
  list(): readonly Entry[] {
    this.trim();
    return this.entries;
  }

  private trim(): void {
    this.entries.sort(this.compare);
    if (this.entries.length < this.most) return;
    this.entries.length = this.most;
    this.bar = this.entries.at(-1)!;
  }
}

/** Texts in the order of their characters, whatever the language; what is null comes first. */
export function compareTexts(a: string | null, b: string | null): number {
  if (a === b) return 0;
  return (a ?? '') < (b ?? '') || (a === null && b !== null) ? -1 : 1;
}
