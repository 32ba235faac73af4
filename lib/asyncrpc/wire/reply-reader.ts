import { InvokeError, ProtocolError, printable } from '../../errors.ts';
import { ChunkGatherer } from './chunks.ts';
import { measureJson } from './message-cost.ts';
import type { Json } from './messages.ts';

/** Assembles a server's reply from its lines, chunks included; undefined until it is complete. */
export type ReplyReader = (line: string) => Json | undefined;

/** How much structure a reply may have. */
export interface ReplyBounds {
  readonly maxJsonDepth: number;
  readonly maxJsonKeys: number;
}

/** A reply may be an export of any number of rows, but what it costs for its length is still bounded. */
const ANY_LENGTH: ReplyBounds = { maxJsonDepth: 64, maxJsonKeys: Number.POSITIVE_INFINITY };

/**
 * @param maxBytes the longest reply accepted
 * @param bounds checked before it is parsed, as for a client's messages
 * @returns a reader for any number of replies, one after another; it throws ProtocolError for what is not a reply
 */
export function createReplyReader(maxBytes: number, bounds = ANY_LENGTH): ReplyReader {
  const chunks = new ChunkGatherer();
  let inChunks = false;
  return (line) => {
    if (!inChunks) {
      inChunks = line === '{"chunk-stream": null}' || line === '{"chunk-stream":null}';
      return inChunks ? undefined : parseReply(line, bounds);
    }
    if (line !== '') {
      if (chunks.bytes + line.length > maxBytes)
        throw new ProtocolError(`the server sent a reply longer than ${maxBytes} bytes`);
      chunks.push(line);
      return undefined;
    }
    inChunks = false;
    return parseReply(chunks.take(), bounds);
  };
}

/** The most likely of all wrong ports. */
const HTTP = 'the server speaks HTTP at this address: name it as ws://HOST:PORT/ws, or name another port';

function parseReply(text: string, { maxJsonDepth, maxJsonKeys }: ReplyBounds): Json {
  try {
    measureJson(text, maxJsonDepth, maxJsonKeys);
  } catch (error) {
    throw new ProtocolError(`the server sent ${(error as Error).message}`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(text.startsWith('HTTP/1.') ? HTTP : 'the server sent malformed JSON', error);
  }
}

/** The refusal a reply carries, or null. */
export function refusalIn(reply: Json): InvokeError | null {
  if (reply === null || typeof reply !== 'object' || Array.isArray(reply)) return null;
  const error = reply['invoke-error'];
  if (error === null || typeof error !== 'object' || Array.isArray(error)) return null;
  // String() is not safe on anything else: an object brings its own toString, an array any depth.
  const text = typeof error.message === 'string' ? error.message : 'the server refused and did not say why';
  return new InvokeError(printable(text.slice(0, 1000)));
}

/**
 * A line that comes in place of a stream's answer, or unasked, as an error: the server's refusal, or
 * a ProtocolError when the line is not a refusal.
 */
export function refusalOf(line: string): InvokeError | ProtocolError {
  try {
    return refusalIn(parseReply(line, ANY_LENGTH)) ?? new ProtocolError('the server sent a malformed error');
  } catch (error) {
    return error instanceof ProtocolError ? error : new ProtocolError('the server sent a malformed error', error);
  }
}
