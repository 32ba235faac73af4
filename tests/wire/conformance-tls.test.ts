import { describe } from 'node:test';
import { recordings, SECURE_HTTP, SECURE_WEBSOCKET, TLS } from './helpers.ts';
import { replayAll, replayPaced } from './recorded.ts';

// A file of its own: each of its many connections shakes hands, which takes most of its time.
describe('conversations recorded with BitBake’s own servers replay in TLS', { concurrency: 4 }, () => {
  for (const transport of [TLS, SECURE_WEBSOCKET, SECURE_HTTP]) replayAll(recordings(), transport);
  // What is in pieces in TLS is so for whatever it carries.
  replayPaced(recordings(), TLS);
});
