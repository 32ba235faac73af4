import { after, before, describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { hashConversation, prConversation } from '../wire/conversations.ts';
import { configIn, MEMORY, recordings, replay, TCP, temporaryFolder, UNIX } from '../wire/helpers.ts';
import { keepWindow, PacedClient, withSeed } from '../wire/paced.ts';
import { playAtRandom } from '../wire/random-model.ts';
import { type PostgresServer, startPostgres } from './server.ts';

describe('on PostgreSQL', () => {
  let server: PostgresServer;
  const addresses = new Map<string, Promise<string>>();
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const databaseOf = async (folder: string) => {
    if (!addresses.has(folder)) addresses.set(folder, server.newDatabase());
    const address = await addresses.get(folder)!;
    return { 'hashserv-db': address, 'prserv-db': address };
  };

  for (const recording of recordings()) {
    test(`the recording ${recording.name} replays`, (t) => replay(t, recording, MEMORY, { databaseOf }));
    test(`${recording.name} replays with requests in flight, in pieces, with turns in between`, (t) =>
      withSeed(async (random) => {
        const clientOf = (stream: ConstructorParameters<typeof PacedClient>[0]) => new PacedClient(stream, random);
        await replay(t, recording, TCP, { databaseOf, window: [3, 4, 8, 32][random(4)]!, clientOf });
      }));
  }

  test('random interleavings answer as one request after the other would', async (t) => {
    await playAtRandom(t, UNIX, 4, await databaseOf('random'));
  });

  for (const window of [3, 4, 8, 32])
    test(`every answer is the one to its own request, with ${window} in flight`, (t) =>
      withSeed(async (random) => {
        const folder = temporaryFolder(t);
        const app = await createApp(configIn(folder, { 'cache-size': '8KiB', ...(await databaseOf(folder)) }), SILENT);
        const { connect, close } = await TCP.open(app, DEFAULT_LIMITS, folder);
        const client = async (protocol: string) => new PacedClient(await connect(), random).handshake(protocol);
        const [hashes, values] = [await client('OEHASHEQUIV 1.1'), await client('PRSERVICE 1.0')];
        try {
          await Promise.all([
            keepWindow(hashes, hashConversation(random), window),
            keepWindow(values, prConversation(random), window),
          ]);
        } finally {
          hashes.close();
          values.close();
          await close();
          await app.close();
        }
      }));
});
