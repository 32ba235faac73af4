import { describe, test } from 'node:test';
import { MEMORY, recordings, replay, TCP, UNIX, WEBSOCKET } from './helpers.ts';

const plain = recordings();

describe('conversations recorded with BitBake’s own servers replay', { concurrency: 4 }, () => {
  for (const transport of [MEMORY, TCP, UNIX, WEBSOCKET]) {
    for (const recording of plain)
      test(`${recording.name} over ${transport.name}`, (t) => replay(t, recording, transport));
  }
  for (const recording of plain)
    test(`${recording.name} fed one byte at a time`, (t) => replay(t, recording, MEMORY, 1));
});
