import { ProtocolError } from '../errors.ts';

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Messages of this many characters and more travel in chunks, and no chunk is longer (protocol.md section 1). */
export const CHUNK_LENGTH = 32767;

const CHUNK_STREAM = '{"chunk-stream": null}\n';

/**
 * A value as the text BitBake's own servers would send: blanks after `,` and `:`, everything outside ASCII escaped,
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

function encodeText(text: string): string {
  const quoted = JSON.stringify(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is for ASCII, control characters included
  if (/^[\x00-\x7e]*$/.test(quoted)) return quoted;
  return quoted.replace(/[\x7f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON text as the lines that carry it: one, or a chunk stream where the transport chunks and the text is long. */
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

/** Where a chunk that begins at `at` ends: never after a blank, which BitBake drops at the end of a line. */
function chunkEnd(text: string, at: number): number {
  let end = Math.min(at + CHUNK_LENGTH, text.length);
  while (end > at + 1 && text.charCodeAt(end - 1) === 0x20) end--;
  return end;
}

/**
 * A long JSON text that is produced piece by piece, as the lines of a chunk stream (or as one line where the transport
 * does not chunk). Yields text that can be written as it is; holds no more than a chunk and a piece.
 */
export async function* frameStreamed(pieces: AsyncIterable<string>, chunked: boolean): AsyncGenerator<string> {
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
 * @throws ProtocolError when it is not JSON, nested deeper than maxDepth or holds more than maxKeys object keys; the
 *   text is measured before it is parsed, so that a hostile one costs no memory
 */
export function parseMessage(text: string, maxDepth: number, maxKeys: number): Json {
  // Fewer characters than that cannot hold so many brackets or keys: the measuring is spared for ordinary requests.
  if (text.length > 2 * maxDepth || text.length > 4 * maxKeys) measure(text, maxDepth, maxKeys);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(text === '' ? 'malformed JSON: an empty line' : 'malformed JSON', error);
  }
}

function measure(text: string, maxDepth: number, maxKeys: number): void {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // a string: to its closing quote
        for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
        break;
      case 0x3a: // ':'
        if (++keys > maxKeys) throw new ProtocolError(`JSON with more than ${maxKeys} keys`);
        break;
      case 0x5b: // '['
      case 0x7b: // '{'
        if (++depth > maxDepth) throw new ProtocolError(`JSON nested deeper than ${maxDepth}`);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
}
