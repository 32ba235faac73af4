import { InvokeError } from '../../errors.ts';
import { type Limits, tooLong } from '../limits.ts';
import { ChunkGatherer } from './chunks.ts';
import { type Json, parseMessage } from './messages.ts';

/** A request: the name of its command and its argument, or why it is refused and which it asked for, as far as is known. */
export type Call =
  | { readonly name: string; readonly argument: Json }
  | { readonly name: null; readonly refusal: Error; readonly asked: string };

/** What the reader must know about the client that sends the messages. */
export interface Sender {
  /** The longest message it may send now. */
  readonly maxMessageBytes: number;
  /** Why a long message with this command need not be parsed; null where it must be. */
  refusalByName(name: string): Error | null;
}

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
  push(line: string, sender: Sender): Call | null {
    const text = this.inChunks ? this.addChunk(line, sender) : line;
    if (text === null) return null;
    this.checkLength(text.length, sender);
    const name = text.length > PEEK_LENGTH ? nameOf(text) : null;
    const refusal = name === null ? null : sender.refusalByName(name);
    if (refusal) {
      this.inChunks = false;
      return { name: null, refusal, asked: name! };
    }
    const message = parseMessage(text, this.limits.maxJsonDepth, this.limits.maxJsonKeys);
    if (!this.inChunks && isChunkStream(message)) {
      this.inChunks = true;
      return null;
    }
    this.inChunks = false;
    return toCall(message);
  }

  clear(): void {
    this.chunks.clear();
  }

  private addChunk(line: string, sender: Sender): string | null {
    if (line === '') return this.chunks.take();
    this.checkLength(this.chunkBytes + line.length, sender);
    this.chunks.push(line);
    return null;
  }

  private checkLength(length: number, sender: Sender): void {
    const { maxMessageBytes } = sender;
    if (length > maxMessageBytes) throw tooLong(this.limits, maxMessageBytes);
  }
}

/** Parsing a shorter message costs no more than looking for its command first. */
const PEEK_LENGTH = 4096;
/** The name of the command, if it comes first. */
const NAME = /^\s*\{\s*"([\w-]{1,64})"\s*:/;

/** The name of the command of a long message, if it comes first. */
function nameOf(text: string): string | null {
  const name = NAME.exec(text.slice(0, 256))?.[1];
  return name === undefined || name === CHUNK_STREAM ? null : name;
}

function toCall(message: Json): Call {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) {
    return refuse('A request must be an object whose one key is the command');
  }
  const names = Object.keys(message);
  if (names.length !== 1) return refuse(`A request must hold one command, not ${names.length}`);
  return { name: names[0]!, argument: message[names[0]!]! };
}

function refuse(text: string): Call {
  return { name: null, refusal: new InvokeError(text), asked: '' };
}

function isChunkStream(message: Json): boolean {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) return false;
  return Object.hasOwn(message, CHUNK_STREAM) && Object.keys(message).length === 1;
}
