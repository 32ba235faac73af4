/** So many groups are told apart: more than a farm has recipes and tasks. */
const MAX_GROUPS = 100_000;
/** And so many characters their names have: who reports under ever new names costs no more than this. */
const MAX_CHARS = 8 << 20;

/** What is summed up by names, such as a recipe and a task. What comes after too many names is only counted. */
export class Groups<Sums> {
  private readonly groups = new Map<string, { readonly names: readonly (string | null)[]; readonly sums: Sums }>();
  private readonly make: () => Sums;
  private readonly maxGroups: number;
  private chars = 0;
  /** How often a group was asked for that there was no room for. */
  left = 0;

  /** @param make the sums of a group that is new */
  constructor(make: () => Sums, maxGroups = MAX_GROUPS) {
    this.make = make;
    this.maxGroups = maxGroups;
  }

  /** The sums of a group, to be added to; null where there is no room for another. */
  of(...names: readonly (string | null)[]): Sums | null {
    const key = keyOf(names);
    const known = this.groups.get(key);
    if (known) return known.sums;
    if (this.groups.size >= this.maxGroups || this.chars + key.length > MAX_CHARS) {
      this.left++;
      return null;
    }
    this.chars += key.length;
    const sums = this.make();
    this.groups.set(key, { names, sums });
    return sums;
  }

  /** The sums of a group that is there. */
  get(...names: readonly (string | null)[]): Sums | undefined {
    return this.groups.get(keyOf(names))?.sums;
  }

  all(): Iterable<{ readonly names: readonly (string | null)[]; readonly sums: Sums }> {
    return this.groups.values();
  }
}

/** No name of another list: lengths come first, as a name may hold anything. */
const keyOf = (names: readonly (string | null)[]) =>
  names.map((name) => (name === null ? '-' : `${name.length}:${name}`)).join('');
