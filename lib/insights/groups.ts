/** So many groups are told apart: more than a farm has recipes and tasks. */
const MAX_GROUPS = 100_000;
/** And so many characters their names have: who reports under ever new names costs no more than this. */
const MAX_CHARS = 8 << 20;

interface Group<Sums> {
  readonly names: readonly [first: string | null, second: string | null];
  readonly sums: Sums;
}

/** What is summed up by one name or two, such as a recipe and a task. What comes after too many names is only counted. */
export class Groups<Sums> {
  /** By the first name, then by the second: no key is made of both, as this is asked for each row of a table. */
  private readonly groups = new Map<string | null, Map<string | null, Group<Sums>>>();
  private readonly make: () => Sums;
  private readonly maxGroups: number;
  private size = 0;
  private chars = 0;
  /** How often a group was asked for that there was no room for. */
  left = 0;

  /** @param make the sums of a group that is new */
  constructor(make: () => Sums, maxGroups = MAX_GROUPS) {
    this.make = make;
    this.maxGroups = maxGroups;
  }

  /** The sums of a group, to be added to; null where there is no room for another. */
  of(first: string | null, second: string | null = null): Sums | null {
    const known = this.groups.get(first)?.get(second);
    if (known) return known.sums;
    const chars = (first?.length ?? 0) + (second?.length ?? 0);
    if (this.size >= this.maxGroups || this.chars + chars > MAX_CHARS) {
      this.left++;
      return null;
    }
    this.size++;
    this.chars += chars;
    const group = { names: [first, second], sums: this.make() } as const;
    const seconds = this.groups.get(first);
    if (seconds) seconds.set(second, group);
    else this.groups.set(first, new Map([[second, group]]));
    return group.sums;
  }

  *all(): Iterable<Group<Sums>> {
    for (const seconds of this.groups.values()) yield* seconds.values();
  }
}
