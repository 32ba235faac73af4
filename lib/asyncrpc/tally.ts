/**
 * Counts what one client did, for one log line when it has gone. Work still under way then is logged as it ends: a client
 * that hangs up after a long request gets its line too.
 */
export class Tally<Name extends string> {
  private counts: Partial<Record<Name, number>> = {};
  private gone = false;
  private readonly say: (counts: Readonly<Partial<Record<Name, number>>>) => void;

  /** @param say told of the counts, when there are any */
  constructor(say: (counts: Readonly<Partial<Record<Name, number>>>) => void) {
    this.say = say;
  }

  add(counts: Readonly<Partial<Record<Name, number>>>): void {
    for (const name in counts) this.counts[name] = (this.counts[name] ?? 0) + (counts[name] ?? 0);
    if (this.gone) this.finish();
  }

  /** The client is gone. */
  close(): void {
    this.gone = true;
    this.finish();
  }

  private finish(): void {
    const { counts } = this;
    this.counts = {};
    for (const name in counts) if (counts[name]! > 0) return this.say(counts);
  }
}
