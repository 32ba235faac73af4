import { test } from 'node:test';
import { type Recording, replay, type Transport } from './helpers.ts';
import { PacedClient, withSeed } from './paced.ts';

/** Tests that every recording replays over a transport as it was recorded. */
export function replayAll(recordings: readonly Recording[], transport: Transport): void {
  for (const recording of recordings)
    test(`${recording.name} over ${transport.name}`, (t) => replay(t, recording, transport));
}

/** And with requests in flight. */
export function replayPaced(recordings: readonly Recording[], transport: Transport): void {
  for (const recording of recordings) {
    test(`${recording.name} over ${transport.name}, requests in flight, in pieces, with turns in between`, (t) =>
      withSeed(async (random) => {
        const window = [3, 4, 8, 32][random(4)]!;
        await replay(t, recording, transport, { clientOf: (stream) => new PacedClient(stream, random), window });
      }));
  }
}
