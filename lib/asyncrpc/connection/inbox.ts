import type { ProtocolError } from '../../errors.ts';
import { Fifo } from '../fifo.ts';
import { LimitError, type Limits } from '../limits.ts';
import type { Carrier, LineScanner } from '../service.ts';
import { LineSplitter } from '../wire/lines.ts';
import { type Call, MessageReader, type Sender } from '../wire/message-reader.ts';
import type { Json } from '../wire/messages.ts';
import { type BlockAnswers, Blocks, type Desk } from './blocks.ts';

/** No scanner answers a line that is longer. */
const LONGEST_SCANNED = 1024;

/**
 * What a client has sent and nobody has taken yet: bytes in, lines and whole requests out. It limits how
 * much, and for how long, the client may leave unfinished.
 */
export class Inbox {
  private readonly limits: Limits;
  private readonly carrier: Carrier;
  private readonly splitter: LineSplitter;
  private readonly lines = new Fifo<string>();
  /** In a stream: what came after those lines, and is not cut yet. */
  private readonly blocks: Blocks;
  private scanner: LineScanner | null = null;
  /** Bytes read and not yet taken, including the unfinished line at the end. */
  private untakenBytes = 0;
  private readonly reader: MessageReader;
  /** A request that was taken out and put back. */
  private next: Call | null = null;
  private fault: Error | null = null;
  private nextBytes = 0;
  /** Of the request that was taken last. */
  private lastBytes = 0;
  private begunAt = 0;
  private pausedAt = 0;

  constructor(limits: Limits, carrier: Carrier, desk: Desk) {
    this.limits = limits;
    this.blocks = new Blocks(desk);
    this.carrier = carrier;
    // Where messages are not chunked, a line is a message.
    this.splitter = carrier.chunked
      ? new LineSplitter(limits.maxLineBytes)
      : new LineSplitter(limits.maxMessageBytes, 'maxMessageBytes');
    this.reader = new MessageReader(limits);
  }

  /** Why no more input can be read; the client must be told once what came before is answered. */
  get failure(): Error | null {
    return this.fault;
  }

  /** Bytes that came and were not taken, including an unfinished line. */
  get bytes(): number {
    return this.untakenBytes;
  }

  /** Of those, in whole lines. */
  get waitingBytes(): number {
    return this.untakenBytes - this.splitter.partialBytes;
  }

  /** Of the line or message that is not complete. */
  get partialBytes(): number {
    return this.splitter.partialBytes + this.reader.chunkBytes + this.carrier.heldBytes();
  }

  /** All that is held here. */
  get heldBytes(): number {
    return this.untakenBytes + this.reader.chunkBytes + this.carrier.heldBytes() + this.nextBytes;
  }

  /** True when no whole line and no request put back is left. */
  get isEmpty(): boolean {
    return this.next === null && this.lines.isEmpty && this.blocks.isEmpty;
  }

  push(chunk: Buffer): void {
    if (this.scanner) return this.pushWhole(chunk);
    const lines = this.splitter.push(chunk);
    if (lines.length > 0 && !this.reader.inChunks) this.begunAt = 0;
    this.untakenBytes += chunk.length;
    this.lines.pushAll(lines);
    this.fault ??= this.splitter.failure;
  }

  /** From here on lines are for this scanner first; null: for nobody but those who take them. */
  scanWith(scanner: LineScanner | null): void {
    // Where a line may be no longer than this, each is measured.
    this.scanner = this.limits.maxLineBytes < LONGEST_SCANNED ? null : scanner;
    if (scanner) return;
    while (!this.blocks.isEmpty) this.cut(this.blocks.takeBlock());
  }

  /** Answers lines as far as the scanner can, `most` at once; null when the next must be taken. */
  scan(most: number): BlockAnswers | null {
    if (!this.scanner || !this.lines.isEmpty || this.blocks.isEmpty) return null;
    const answers = this.blocks.scan(this.scanner, most);
    if (answers) {
      this.untakenBytes -= answers.bytes;
      this.settleBytes();
    } else this.cut(this.blocks.cut());
    return answers;
  }

  /** The next line, or null when none has been read. */
  takeLine(): string | null {
    const line = this.lines.take();
    if (line === undefined) return null;
    this.untakenBytes -= line.length + 1;
    this.settleBytes();
    return line;
  }

  /** Up to `most` lines before the next `END`; null when that is next, which is then taken. */
  takeLines(most: number): readonly string[] | null {
    if (this.lines.at(0) === 'END') {
      this.takeLine();
      return null;
    }
    const lines = this.lines.takeMany(this.lines.countBefore('END', most));
    for (const line of lines) this.untakenBytes -= line.length + 1;
    this.settleBytes();
    return lines;
  }

  /** The next whole request, or null when none has been read. What cannot be read on becomes `failure`. */
  takeCall(sender: Sender): Call | null {
    if (this.next) {
      const call = this.next;
      this.next = null;
      this.nextBytes = 0;
      return call;
    }
    const held = this.heldBytes;
    for (let line = this.takeLine(); line !== null; line = this.takeLine()) {
      const wasInChunks = this.reader.inChunks;
      try {
        const call = this.reader.push(line, sender);
        // Set here, because no more input may come after the last chunk, and a connection may be idle for any length of time.
        if (this.reader.inChunks !== wasInChunks) {
          const begun = this.reader.inChunks || this.splitter.partialBytes > 0;
          this.begunAt = begun ? performance.now() : 0;
        }
        this.lastBytes = held - this.heldBytes;
        if (call) return call;
      } catch (error) {
        this.fault = error as Error;
        this.drop();
      }
    }
    return null;
  }

  /** Adds to `args` those of the following requests of the same command that have been read already. */
  takeRun(sender: Sender, command: string, args: Json[]): void {
    while (args.length < this.limits.maxInFlight) {
      const call = this.takeCall(sender);
      if (!call) return;
      if (call.name !== command) return this.putBack(call);
      args.push(call.argument);
    }
  }

  /** Makes this request the next one again. */
  putBack(call: Call): void {
    this.next = call;
    this.nextBytes = this.lastBytes;
  }

  /** Notes whether something is unfinished, and since when; returns its bytes. */
  note(): number {
    const partial = this.partialBytes;
    if (!this.reader.inChunks && partial === 0) this.begunAt = 0;
    else if (this.begunAt === 0) this.begunAt = performance.now();
    return partial;
  }

  /** Stops reading and drops what is unfinished; the client is told once what came before is answered. */
  fail(why: ProtocolError): void {
    this.fault ??= why;
    this.untakenBytes -= this.splitter.partialBytes;
    this.splitter.stop(why);
    this.reader.clear();
    this.begunAt = 0;
  }

  /** The error for a client that has started a message and not finished it in time; otherwise null. */
  checkTime(now: number): ProtocolError | null {
    const { messageTimeoutMs } = this.limits;
    if (!this.begunAt || this.fault || now - this.begunAt <= messageTimeoutMs) return null;
    return new LimitError('messageTimeoutMs', `a message was not complete within ${messageTimeoutMs / 1000} s`);
  }

  /** The client is not read for a while. */
  pause(): void {
    this.pausedAt = performance.now();
  }

  /** The client is read again: the time in between does not count against it. */
  resume(): void {
    if (this.begunAt) this.begunAt += performance.now() - Math.max(this.pausedAt, this.begunAt);
  }

  private pushWhole(chunk: Buffer): void {
    const whole = this.splitter.pushWhole(chunk);
    this.untakenBytes += chunk.length;
    if (whole.length > 0) {
      this.begunAt = 0;
      this.blocks.push(whole);
    }
    this.fault ??= this.splitter.failure;
  }

  private cut(whole: Buffer): void {
    const { lines, isGood } = this.splitter.cut(whole);
    this.lines.pushAll(lines);
    if (isGood) return;
    this.blocks.clear();
    this.fault = this.splitter.failure;
  }

  /** Forgets whole lines and the message that was being put together. */
  drop(): void {
    this.lines.clear();
    this.blocks.clear();
    this.next = null;
    this.nextBytes = 0;
    this.settleBytes();
    this.reader.clear();
  }

  /** Characters are not bytes outside ASCII, nor is white space dropped counted: with nothing left the count starts afresh. */
  private settleBytes(): void {
    if (this.lines.isEmpty) this.untakenBytes = this.blocks.bytes + this.splitter.partialBytes;
  }
}
