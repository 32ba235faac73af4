import { InvokeError, ProtocolError } from '../../errors.ts';
import type { Limits } from '../limits.ts';
import type { Command, Session } from '../service.ts';
import { ChunkGatherer } from './chunks.ts';
import { type Json, parseMessage } from './messages.ts';

/** A request: its command and argument, or why it is refused. */
export type Call =
  | { readonly command: Command; readonly arg: Json }
  | { readonly command: null; readonly refusal: Error };

const CHUNK_STREAM = 'chunk-stream';

/** Assembles requests from lines, chunk streams included. */
export class MessageReader {
  /** A chunked message has started and is not complete. */
  inChunks = false;
  private readonly chunks = new ChunkGatherer();
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Characters in its chunks so far. */
  get chunkBytes(): number {
    return this.chunks.bytes;
  }

  /**
   * Takes a line. Returns the request it completes, or null.
   * @throws ProtocolError when nothing after this line can be read
   */
  push(line: string, session: Session): Call | null {
    const text = this.inChunks ? this.addChunk(line, session) : line;
    if (text === null) return null;
    this.checkLength(text.length, session);
    const refusal = text.length > PEEK_LENGTH ? refuseByName(text, session) : null;
    if (refusal) {
      this.inChunks = false;
      return { command: null, refusal };
    }
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

/** Parsing a shorter message costs no more than looking for its command first. */
const PEEK_LENGTH = 4096;
/** The name of the command, if it comes first. */
const NAME = /^\s*\{\s*"([\w-]{1,64})"\s*:/;

/** The refusal of a long message that need not be parsed: its command is unknown, or not open to this client. */
function refuseByName(text: string, session: Session): Error | null {
  const name = NAME.exec(text.slice(0, 256))?.[1];
  if (name === undefined || name === CHUNK_STREAM) return null;
  const command = session.command(name);
  return command ? (session.denies?.(command) ?? null) : unknownCommand(name);
}

function unknownCommand(name: string): InvokeError {
  return new InvokeError(`Unknown command ${JSON.stringify(name.slice(0, 64))}`);
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
  return command ? { command, arg: message[name]! } : { command: null, refusal: unknownCommand(name) };
}

function isChunkStream(message: Json): boolean {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) return false;
  return Object.hasOwn(message, CHUNK_STREAM) && Object.keys(message).length === 1;
}
