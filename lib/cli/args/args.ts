import { UsageError } from './usage-error.ts';

/** The values of a command line, by the names in its table. Texts are as given; numbers have been checked. */
export class Args {
  private readonly given: ReadonlyMap<string, readonly (readonly string[])[]>;
  private readonly switches: ReadonlyMap<string, boolean>;

  /** @param given for each option with values and each argument, the values of each use in order */
  constructor(given: ReadonlyMap<string, readonly (readonly string[])[]>, switches: ReadonlyMap<string, boolean>) {
    this.given = given;
    this.switches = switches;
  }

  /** Whether a switch is on, or anything else was given. */
  has(name: string): boolean {
    return this.switches.get(name) ?? this.given.has(name);
  }

  /** The value last given. */
  text(name: string): string | undefined {
    return this.given.get(name)?.at(-1)?.[0];
  }

  /** The value of something the table requires. */
  need(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`${name} is missing`);
    return value;
  }

  /** Every value, in order. */
  list(name: string): string[] {
    return (this.given.get(name) ?? []).flat();
  }

  /** Every use of an option that takes two values. */
  pairs(name: string): (readonly [string, string])[] {
    return (this.given.get(name) ?? []).map(([key, value]) => [key!, value!]);
  }

  number(name: string, fallback: number): number {
    const text = this.text(name);
    return text === undefined ? fallback : Number(text);
  }

  /** What was given, as settings take it: a text, a list of texts if given several times, or a boolean. */
  flags(): Readonly<Record<string, unknown>> {
    const flags: Record<string, unknown> = Object.fromEntries(this.switches);
    for (const [name, uses] of this.given) {
      const values = uses.flat();
      flags[name] = values.length === 1 ? values[0] : values;
    }
    return flags;
  }
}
