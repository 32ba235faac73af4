import { describe, test } from 'node:test';
import { HTTP, MEMORY, recordings, replay, TCP, UNIX, WEBSOCKET, WireClient } from './helpers.ts';
import { PacedClient, withSeed } from './paced.ts';

const plain = recordings();

describe('conversations recorded with BitBake’s own servers replay', { concurrency: 4 }, () => {
  for (const transport of [MEMORY, TCP, UNIX, WEBSOCKET, HTTP]) {
    for (const recording of plain)
      test(`${recording.name} over ${transport.name}`, (t) => replay(t, recording, transport));
    for (const recording of plain) {
      test(`${recording.name} over ${transport.name}, requests in flight, in pieces, with turns in between`, (t) =>
        withSeed(async (random) => {
          const window = [3, 4, 8, 32][random(4)]!;
          await replay(t, recording, transport, { clientOf: (stream) => new PacedClient(stream, random), window });
        }));
    }
  }
  for (const recording of plain)
    test(`${recording.name} fed one byte at a time`, (t) =>
      replay(t, recording, MEMORY, { clientOf: (stream) => new WireClient(stream, 1) }));
});
