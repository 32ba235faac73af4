import { describe, test } from 'node:test';
import { HTTP, MEMORY, recordings, replay, TCP, UNIX, WEBSOCKET, WireClient } from './helpers.ts';
import { replayAll, replayPaced } from './recorded.ts';

const plain = recordings();

describe('conversations recorded with BitBake’s own servers replay', { concurrency: 4 }, () => {
  for (const transport of [MEMORY, TCP, UNIX, WEBSOCKET, HTTP]) replayAll(plain, transport);
  // After its upgrade, a client of an HTTP listener has the same carrier as one of a WebSocket listener.
  for (const transport of [MEMORY, TCP, UNIX, WEBSOCKET]) replayPaced(plain, transport);
  for (const recording of plain)
    test(`${recording.name} fed one byte at a time`, (t) =>
      replay(t, recording, MEMORY, { clientOf: (stream) => new WireClient(stream, 1) }));
});
