import { ProtocolError } from '../../errors.ts';
import { measureJson } from './message-cost.ts';

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Messages of this length or more are sent in chunks, and no chunk is longer (docs/protocol.md). */
export const CHUNK_LENGTH = 32767;

const CHUNK_STREAM = '{"chunk-stream": null}\n';

/**
 * A value as BitBake's own servers would send it: blanks after `,` and `:`, everything outside ASCII escaped,
 * so that characters are bytes. Keys with an undefined value are left out.
 */
export function encodeJson(value: Json | undefined): string {
  if (typeof value === 'string') return encodeText(value);
  if (value === null || value === undefined || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(encodeJson).join(', ')}]`;
  let text = '';
  for (const key in value) {
    if (value[key] === undefined) continue;
    text += `${text && ', '}${encodeText(key)}: ${encodeJson(value[key])}`;
  }
  return `{${text}}`;
}

/** Characters that are escaped at a time; each may become six. */
const ESCAPE_LENGTH = 16 * 1024;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** Nothing in it is escaped. */
const PLAIN = /^[ !#-[\]-~]*$/;

function encodeText(text: string): string {
  // As nearly all texts are: a page of rows takes a quarter less time.
  return PLAIN.test(text) ? `"${text}"` : asciiJson(JSON.stringify(text));
}

/** JSON of somebody else's making, with everything outside ASCII escaped. */
export function asciiJson(quoted: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is for ASCII, control characters included
  if (/^[\x00-\x7e]*$/.test(quoted)) return quoted;
  const buffer = Buffer.allocUnsafe(6 * Math.min(quoted.length, ESCAPE_LENGTH));
  let escaped = '';
  for (let at = 0; at < quoted.length; at += ESCAPE_LENGTH) {
    escaped += buffer.toString(
      'latin1',
      0,
      escapeInto(quoted, at, Math.min(at + ESCAPE_LENGTH, quoted.length), buffer),
    );
  }
  return escaped;
}

/** Writes characters as ASCII; returns how many bytes that took. A replacer function would cost a call for each character. */
function escapeInto(text: string, from: number, to: number, out: Buffer): number {
  let length = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x7f) out[length++] = code;
    else {
      out[length++] = 0x5c;
      out[length++] = 0x75;
      out[length++] = HEX[code >> 12]!;
      out[length++] = HEX[(code >> 8) & 15]!;
      out[length++] = HEX[(code >> 4) & 15]!;
      out[length++] = HEX[code & 15]!;
    }
  }
  return length;
}

/** Characters of a long value that are encoded at a time. */
const PIECE_LENGTH = 32 * 1024;

/** Whether the value's JSON is certainly CHUNK_LENGTH characters or longer: `encodePieces` must then encode it. */
export function isLong(value: Json | undefined): boolean {
  return typeof value === 'object' || typeof value === 'string' ? lengthLeft(value, CHUNK_LENGTH) <= 0 : false;
}

/** The least number of characters of the value's JSON. */
export function lengthOf(value: Json): number {
  return Number.MAX_SAFE_INTEGER - lengthLeft(value, Number.MAX_SAFE_INTEGER);
}

/** `left` less the least number of characters of the value's JSON; stops looking once nothing is left. */
function lengthLeft(value: Json | undefined, left: number): number {
  if (typeof value === 'string') return left - value.length - 2;
  if (value === null || typeof value !== 'object') return left - 1;
  if (Array.isArray(value)) for (let i = 0; i < value.length && left > 0; i++) left = lengthLeft(value[i], left);
  else {
    for (const key in value) {
      if (value[key] === undefined) continue;
      left = lengthLeft(value[key], left - key.length - 4);
      if (left <= 0) break;
    }
  }
  return left;
}

/** The text of `encodeJson` in pieces of bounded length, each made on demand. */
export function* encodePieces(value: Json): Generator<string, void, undefined> {
  let piece = '';
  for (const part of parts(value)) {
    piece += part;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* parts(value: Json): Generator<string, void, undefined> {
  if (!isLong(value)) yield encodeJson(value);
  else if (typeof value === 'string') {
    yield '"';
    // Each half of a surrogate pair is escaped the same way alone as in the pair.
    for (let at = 0; at < value.length; at += PIECE_LENGTH) {
      yield encodeText(value.slice(at, at + PIECE_LENGTH)).slice(1, -1);
    }
    yield '"';
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      yield i === 0 ? '[' : ', ';
      yield* parts(value[i]!);
    }
    yield ']';
  } else {
    let before = '{';
    for (const key in value as { [key: string]: Json }) {
      const member = (value as { [key: string]: Json })[key];
      if (member === undefined) continue;
      yield `${before}${encodeText(key)}: `;
      yield* parts(member);
      before = ', ';
    }
    yield '}';
  }
}

/** JSON text as lines: one, or a chunk stream if the transport chunks and the text is long. */
export function frameMessage(text: string, chunked: boolean): string {
  if (!chunked || text.length < CHUNK_LENGTH) return `${text}\n`;
  return CHUNK_STREAM + chunkLines(text) + '\n';
}

function chunkLines(text: string): string {
  let lines = '';
  for (let at = 0; at < text.length; ) {
    const end = chunkEnd(text, at);
    lines += `${text.slice(at, end)}\n`;
    at = end;
  }
  return lines;
}

/** Where a chunk that starts at `at` ends: never after a blank, which BitBake drops at the end of a line. */
function chunkEnd(text: string, at: number): number {
  let end = Math.min(at + CHUNK_LENGTH, text.length);
  while (end > at + 1 && text.charCodeAt(end - 1) === 0x20) end--;
  return end;
}

/**
 * A long JSON text that is produced piece by piece, as the lines of a chunk stream (or as one line if the transport
 * does not chunk). Yields text ready to be written; holds no more than a chunk and a piece.
 */
export async function* frameStreamed(
  pieces: AsyncIterable<string> | Iterable<string>,
  chunked: boolean,
): AsyncGenerator<string> {
  let rest = '';
  if (chunked) yield CHUNK_STREAM;
  for await (const piece of pieces) {
    rest += piece;
    while (rest.length >= CHUNK_LENGTH) {
      const end = chunkEnd(rest, 0);
      yield chunked ? `${rest.slice(0, end)}\n` : rest.slice(0, end);
      rest = rest.slice(end);
    }
  }
  yield chunked ? `${rest && `${rest}\n`}\n` : `${rest}\n`;
}

/**
 * The value of a JSON message.
 * @throws ProtocolError when it is not JSON, or exceeds the limits of `measureJson`
 */
export function parseMessage(text: string, maxDepth: number, maxKeys: number): Json {
  measureJson(text, maxDepth, maxKeys);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(text === '' ? 'malformed JSON: an empty line' : 'malformed JSON', error);
  }
}
