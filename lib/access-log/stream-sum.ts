import type { Entry } from './entry.ts';
import { resultOf } from './result.ts';

/** All lines of one stream: look-ups are millions, so that they have one line together. */
export class StreamSum {
  lines = 0;
  bytes = 0;
  private readonly command: string;
  private readonly since = performance.now();
  private failure: string | null = null;

  constructor(command: string) {
    this.command = command;
  }

  add(lines: number, bytes: number): void {
    this.lines += lines;
    this.bytes += bytes;
  }

  /** The first thing that went wrong is the result. */
  fail(error: unknown): void {
    this.failure ??= resultOf(error instanceof Error ? error : new Error(String(error)));
  }

  entry(result: string): Entry {
    const { command, lines, bytes } = this;
    return {
      kind: 'stream',
      command,
      result: this.failure ?? result,
      ms: performance.now() - this.since,
      bytes,
      lines,
    };
  }
}
