/** Each line costs some 50 bytes on top of its characters, so small ones are joined in groups of this many. */
const GATHERED_LINES = 1024;

/** Gathers the chunks of one message after another, in little more memory than their characters take. */
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

  /** The text that the chunks make together. The next chunk starts a new message. */
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
