import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEFAULT_LIMITS, MIB } from '../../lib/asyncrpc/limits.ts';
import { MessageReader } from '../../lib/asyncrpc/message-reader.ts';
import type { Session } from '../../lib/asyncrpc/service.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const session = { awaitsLogin: false, command: () => null } as unknown as Session;

test('chunks of a few characters cost no multiple of what counts towards the limits', () => {
  const reader = new MessageReader(DEFAULT_LIMITS);
  reader.push('{"chunk-stream": null}', session);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  // Cut from reads of some size, as they come.
  for (let read = 0; read < 64; read++) {
    for (const line of Buffer.alloc(64 * 1024, '123\n')
      .toString('latin1')
      .split('\n')) {
      if (line !== '') reader.push(line, session);
    }
  }
  collectGarbage();
  const held = process.memoryUsage().heapUsed - before;
  assert.ok(reader.chunkBytes >= 3 * MIB);
  assert.ok(held < 2 * reader.chunkBytes, `${reader.chunkBytes} bytes of chunks hold ${held}`);
});

test('a message in many small chunks is what they make together', () => {
  const reader = new MessageReader(DEFAULT_LIMITS);
  const request = JSON.stringify({ nonsense: 'x'.repeat(5000) });
  reader.push('{"chunk-stream": null}', session);
  for (const character of request) assert.equal(reader.push(character, session), null);
  const call = reader.push('', session);
  assert.match(String(call && !call.command && call.refusal), /Unknown command "nonsense"/);
  assert.equal(reader.chunkBytes, 0);
});
