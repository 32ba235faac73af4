/** Each line costs some 50 bytes beside its characters: so many small ones are put together. */
const GATHERED_LINES = 1024;

/** Gathers the chunks of one message after the other, in not much more memory than they have characters. */
export class ChunkGatherer {
  /** Characters of the message's chunks so far. */
  bytes = 0;
  private gathered: string[] = [];
  /** The latest lines, up to GATHERED_LINES of them. */
  private latest: string[] = [];

  push(line: string): void {
    this.bytes += line.length;
    if (this.latest.push(line) < GATHERED_LINES) return;
    this.gathered.push(this.latest.join(''));
    this.latest = [];
  }

  /** The text that the chunks make together; the next message begins. */
  take(): string {
    const text = this.gathered.join('') + this.latest.join('');
    this.clear();
    return text;
  }

  clear(): void {
    this.gathered = [];
    this.latest = [];
    this.bytes = 0;
  }
}
