import { InvokeError, ProtocolError } from '../errors.ts';
import type { Limits } from './limits.ts';
import { type Json, parseMessage } from './messages.ts';
import type { Command, Session } from './service.ts';

/** A request that was read: its command and argument, or why it is refused. */
export type Call =
  | { readonly command: Command; readonly arg: Json }
  | { readonly command: null; readonly refusal: Error };

/** Each line costs some 50 bytes beside its characters: so many small ones are put together. */
const GATHERED_LINES = 1024;

/** Puts requests together from lines, chunk streams included. */
export class MessageReader {
  /** A chunked message has begun and is not complete. */
  inChunks = false;
  /** Characters of its chunks so far. */
  chunkBytes = 0;
  private chunks: string[] = [];
  /** The latest lines, up to GATHERED_LINES of them. */
  private latest: string[] = [];
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /**
   * Takes a line; the request it completes, or null.
   * @throws ProtocolError when the input cannot be read on from here
   */
  push(line: string, session: Session): Call | null {
    const text = this.inChunks ? this.addChunk(line, session) : line;
    if (text === null) return null;
    this.checkLength(text.length, session);
    const message = parseMessage(text, this.limits.maxJsonDepth, this.limits.maxJsonKeys);
    if (!this.inChunks && isChunkStream(message)) {
      this.inChunks = true;
      return null;
    }
    this.inChunks = false;
    return toCall(message, session);
  }

  clear(): void {
    this.chunks = [];
    this.latest = [];
    this.chunkBytes = 0;
  }

  private addChunk(line: string, session: Session): string | null {
    if (line === '') {
      const text = this.chunks.join('') + this.latest.join('');
      this.clear();
      return text;
    }
    this.chunkBytes += line.length;
    this.checkLength(this.chunkBytes, session);
    if (this.latest.push(line) < GATHERED_LINES) return null;
    this.chunks.push(this.latest.join(''));
    this.latest = [];
    return null;
  }

  private checkLength(length: number, session: Session): void {
    const { maxMessageBytes, maxMessageBeforeLoginBytes } = this.limits;
    const limit = session.awaitsLogin ? Math.min(maxMessageBytes, maxMessageBeforeLoginBytes) : maxMessageBytes;
    if (length > limit) throw new ProtocolError(`a message is longer than ${limit} bytes`);
  }
}

function toCall(message: Json, session: Session): Call {
  const refuse = (text: string): Call => ({ command: null, refusal: new InvokeError(text) });
  if (message === null || typeof message !== 'object' || Array.isArray(message)) {
    return refuse('A request must be an object whose one key is the command');
  }
  const names = Object.keys(message);
  if (names.length !== 1) return refuse(`A request must hold one command, not ${names.length}`);
  const name = names[0]!;
  const command = session.command(name);
  return command ? { command, arg: message[name]! } : refuse(`Unknown command ${JSON.stringify(name.slice(0, 64))}`);
}

function isChunkStream(message: Json): boolean {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) return false;
  return Object.hasOwn(message, 'chunk-stream') && Object.keys(message).length === 1;
}
