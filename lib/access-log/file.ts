import fs from 'node:fs';
import type { Logger } from '../log.ts';

/** What the file is written with; a test has its own. */
export type WriteBytes = (
  descriptor: number,
  bytes: Buffer,
  from: number,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

export interface AccessFileOptions {
  /** A path, or `-` for standard output. */
  readonly file: string;
  readonly log: Logger;
  /** Lines that wait for the disk; more are dropped. */
  readonly maxBytes?: number;
  readonly write?: WriteBytes;
}

const MIB = 1024 * 1024;
/** Lines of so many milliseconds are written together. */
const GATHER_MS = 50;
/** How long after a failed write the next is tried. */
const RETRY_MS = 1000;
/** A server that stops waits no longer for the disk. */
const CLOSE_MS = 1000;
/** Between two warnings that lines were dropped: a disk that is too slow for what is asked stays so. */
const WARN_EVERY_MS = 60_000;
const STDOUT = 1;
/** Not blocking: opening a pipe that nobody reads would otherwise wait for a reader. */
const FLAGS = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NONBLOCK;

/**
 * A file of lines that nobody waits for: they are written in the background, and on a disk that is full or too slow dropped and
 * counted. A line is whole or not there.
 */
export class AccessFile {
  private readonly options: Required<AccessFileOptions>;
  private descriptor: number;
  /** Opened again, and used from the next line on. */
  private next: number | null = null;
  private waiting: string[] = [];
  private waitingBytes = 0;
  private dropped = 0;
  /** Of those, how many no warning has told of; and when the last one was. */
  private untold = 0;
  private warnedAt = Number.NEGATIVE_INFINITY;
  /** What is being written, and how far that has come. */
  private chunk: Buffer | null = null;
  private at = 0;
  private timer: NodeJS.Timeout | null = null;
  private failing = false;
  private onIdle: (() => void) | null = null;
  private closed = false;

  /** @throws the system's error when the file cannot be opened */
  constructor(options: AccessFileOptions) {
    this.options = { maxBytes: 4 * MIB, write: writeBytes, ...options };
    this.descriptor = this.open();
  }

  /** @param line without its end, in ASCII or any other text */
  add(line: string): void {
    if (this.closed || this.waitingBytes + line.length > this.options.maxBytes) {
      this.dropped++;
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += line.length + 1;
    if (!this.timer && !this.chunk) this.later(GATHER_MS);
  }

  /** Goes on in the file of that name, as after a rotation. Throws the system's error, and then goes on in the old file. */
  reopen(): void {
    if (this.options.file === '-' || this.closed) return;
    const opened = this.open();
    if (this.next !== null) fs.closeSync(this.next);
    this.next = opened;
    if (!this.chunk) this.change();
  }

  /** Writes what waits, unless the disk takes too long. */
  async close(): Promise<void> {
    this.closed = true;
    const idle = new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
    // What was put off is done now; a write that is under way goes on.
    if (this.timer || !this.chunk) this.goOn();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([idle, late]);
    clearTimeout(timer);
    if (this.timer) clearTimeout(this.timer);
    // A write that is still under way has the descriptor.
    if (!this.chunk && this.options.file !== '-') fs.closeSync(this.descriptor);
  }

  private open(): number {
    const { file } = this.options;
    return file === '-' ? STDOUT : fs.openSync(file, FLAGS, 0o640);
  }

  /** While a timer runs, no write is under way. */
  private later(ms: number): void {
    this.timer = setTimeout(() => this.goOn(), ms);
    this.timer.unref();
  }

  private goOn(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.chunk) this.write();
    else this.flush();
  }

  private flush(): void {
    if (this.chunk) return;
    this.change();
    if (this.dropped > 0) this.waiting.unshift(this.tellDropped());
    if (this.waiting.length === 0) return this.onIdle?.();
    this.chunk = Buffer.from(`${this.waiting.join('\n')}\n`);
    this.at = 0;
    this.waiting = [];
    this.waitingBytes = 0;
    this.write();
  }

  private tellDropped(): string {
    const lines = this.dropped;
    this.dropped = 0;
    this.untold += lines;
    const now = performance.now();
    if (now - this.warnedAt > WARN_EVERY_MS) {
      this.options.log.warn('lines of the access log were dropped: its disk is full or too slow', {
        lines: this.untold,
      });
      this.warnedAt = now;
      this.untold = 0;
    }
    return JSON.stringify({ time: new Date().toISOString(), kind: 'dropped', lines });
  }

  private write(): void {
    this.options.write(this.descriptor, this.chunk!, this.at, (error, written) => {
      if (error) return this.failed(error);
      this.failing = false;
      this.at += written;
      if (this.at < this.chunk!.length) return this.write();
      this.chunk = null;
      this.flush();
    });
  }

  /** What is not written stays, to be written once that works again: there, or in the file that was opened meanwhile. */
  private failed(error: NodeJS.ErrnoException): void {
    if (!this.failing && error.code !== 'EAGAIN')
      this.options.log.warn('the access log cannot be written: tried again each second', { error });
    this.failing = true;
    if (this.next !== null) this.moveOn();
    this.later(RETRY_MS);
  }

  /** The rest of a line that was begun in the old file stays out of the new one. */
  private moveOn(): void {
    const isBegun = this.at > 0 && this.chunk![this.at - 1] !== NEWLINE;
    if (isBegun) {
      this.at = this.chunk!.indexOf(NEWLINE, this.at) + 1;
      this.dropped++;
    }
    this.chunk = this.chunk!.subarray(this.at);
    this.at = 0;
    this.change();
  }

  private change(): void {
    if (this.next === null) return;
    fs.closeSync(this.descriptor);
    this.descriptor = this.next;
    this.next = null;
  }
}

const NEWLINE = 0x0a;

const writeBytes: WriteBytes = (descriptor, bytes, from, done) => {
  fs.write(descriptor, bytes, from, bytes.length - from, null, (error, written) => done(error, written));
};
