import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEFAULT_LIMITS, MIB } from '../../lib/asyncrpc/limits.ts';
import { MessageReader } from '../../lib/asyncrpc/wire/message-reader.ts';
import { createReplyReader } from '../../lib/asyncrpc/wire/reply-reader.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const sender = { maxMessageBytes: DEFAULT_LIMITS.maxMessageBytes, refusalByName: () => null };

/**
 * The bytes of heap a reader holds once it has been given chunks of three characters.
 * @returns beside that, the number of those characters
 */
function heapOfSmallChunks(push: (line: string) => void): { characters: number; held: number } {
  push('{"chunk-stream": null}');
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  let characters = 0;
  // Cut from reads of some size, as they come.
  for (let read = 0; read < 64; read++) {
    for (const line of Buffer.alloc(64 * 1024, '123\n')
      .toString('latin1')
      .split('\n')) {
      if (line === '') continue;
      push(line);
      characters += line.length;
    }
  }
  collectGarbage();
  return { characters, held: process.memoryUsage().heapUsed - before };
}

test('chunks of a few characters cost no multiple of what counts towards the limits', () => {
  const reader = new MessageReader(DEFAULT_LIMITS);
  const { held } = heapOfSmallChunks((line) => reader.push(line, sender));
  assert.ok(reader.chunkBytes >= 3 * MIB);
  assert.ok(held < 2 * reader.chunkBytes, `${reader.chunkBytes} bytes of chunks hold ${held}`);
});

test('nor do those of a reply', () => {
  const read = createReplyReader(16 * MIB);
  const { characters, held } = heapOfSmallChunks(read);
  assert.ok(characters >= 3 * MIB);
  assert.ok(held < 2 * characters, `${characters} bytes of chunks hold ${held}`);
  // Held until here; digits alone, so many, are a number.
  assert.equal(read(''), Number.POSITIVE_INFINITY);
});

test('a message in many small chunks is what they make together', () => {
  const reader = new MessageReader(DEFAULT_LIMITS);
  const request = JSON.stringify({ nonsense: 'x'.repeat(5000) });
  reader.push('{"chunk-stream": null}', sender);
  for (const character of request) assert.equal(reader.push(character, sender), null);
  const call = reader.push('', sender);
  assert.deepEqual(call, { name: 'nonsense', argument: 'x'.repeat(5000) });
  assert.equal(reader.chunkBytes, 0);
});

test('a reply in many small chunks is what they make together, and the next one begins anew', () => {
  const read = createReplyReader(6000);
  const reply = { text: 'x'.repeat(5000) };
  for (let i = 0; i < 2; i++) {
    read('{"chunk-stream": null}');
    for (const character of JSON.stringify(reply)) assert.equal(read(character), undefined);
    assert.deepEqual(read(''), reply);
  }
  assert.deepEqual(read('"whole"'), 'whole');
});

test('an HTTP server is told from one that sends nonsense', () => {
  const read = createReplyReader(3000);
  assert.throws(
    () => read('HTTP/1.1 400 Bad Request\r'),
    /^ProtocolError: the server speaks HTTP .*ws:\/\/HOST:PORT\/ws/,
  );
  assert.throws(() => read('HTML'), /^ProtocolError: the server sent malformed JSON$/);
});

test('a reply whose chunks are together longer than the limit is refused', () => {
  const read = createReplyReader(3000);
  read('{"chunk-stream": null}');
  for (let i = 0; i < 3000; i++) read('1');
  assert.throws(() => read('1'), /^ProtocolError: the server sent a reply longer than 3000 bytes$/);
});
