/** Lines that were read and wait for their turn, in the batches they came in, and the bytes they hold. */
export class LineQueue {
  /** Bytes read and not yet taken, the unfinished line at the end included. */
  bytes = 0;
  private lines: readonly string[] = [];
  private next = 0;
  private waiting: (readonly string[])[] = [];
  private readonly unfinishedBytes: () => number;

  /** @param unfinishedBytes bytes of the line that is not complete yet */
  constructor(unfinishedBytes: () => number) {
    this.unfinishedBytes = unfinishedBytes;
  }

  /** Adds the lines that `bytes` more bytes of input completed. */
  push(lines: readonly string[], bytes: number): void {
    this.bytes += bytes;
    if (lines.length === 0) return;
    if (this.next < this.lines.length) this.waiting.push(lines);
    else {
      this.lines = lines;
      this.next = 0;
    }
  }

  get isEmpty(): boolean {
    return this.next >= this.lines.length && this.waiting.length === 0;
  }

  /** The next line, or null. */
  take(): string | null {
    if (!this.advance()) return null;
    const line = this.lines[this.next++]!;
    this.bytes -= line.length + 1;
    this.settle();
    return line;
  }

  /** Up to `most` lines before the next `end` line, of one batch; null when `end` is next, which is then taken. */
  takeUntil(end: string, most: number): readonly string[] | null {
    if (!this.advance()) return [];
    const from = this.next;
    const found = this.lines.indexOf(end, from);
    const to = Math.min(found < 0 ? this.lines.length : found, from + most);
    if (to === from) {
      this.take();
      return null;
    }
    const whole = from === 0 && to === this.lines.length;
    const taken = whole ? this.lines : this.lines.slice(from, to);
    this.next = to;
    for (const line of taken) this.bytes -= line.length + 1;
    this.settle();
    return taken;
  }

  clear(): void {
    this.lines = [];
    this.next = 0;
    this.waiting = [];
  }

  private advance(): boolean {
    if (this.next < this.lines.length) return true;
    const more = this.waiting.shift();
    if (!more) return false;
    this.lines = more;
    this.next = 0;
    return true;
  }

  private settle(): void {
    if (!this.isEmpty) return;
    this.clear();
    // Characters are not bytes outside ASCII: with nothing queued the count starts afresh.
    this.bytes = this.unfinishedBytes();
  }
}
