import { InvokeError, ProtocolError } from '../errors.ts';
import { ChunkGatherer } from './chunks.ts';
import type { Limits } from './limits.ts';
import { type Json, parseMessage } from './messages.ts';
import type { Command, Session } from './service.ts';

/** A request that was read: its command and argument, or why it is refused. */
export type Call =
  | { readonly command: Command; readonly arg: Json }
  | { readonly command: null; readonly refusal: Error };

/** Puts requests together from lines, chunk streams included. */
export class MessageReader {
  /** A chunked message has begun and is not complete. */
  inChunks = false;
  private readonly chunks = new ChunkGatherer();
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Characters of its chunks so far. */
  get chunkBytes(): number {
    return this.chunks.bytes;
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
    this.chunks.clear();
  }

  private addChunk(line: string, session: Session): string | null {
    if (line === '') return this.chunks.take();
    this.checkLength(this.chunkBytes + line.length, session);
    this.chunks.push(line);
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
