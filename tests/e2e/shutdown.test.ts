import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fakeUpstream, unihashOf } from '../wire/fake-upstream.ts';
import {
  type Context,
  getPr,
  METHOD,
  report,
  reportOf,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';

const CLEAN = { status: 0, signal: null };

/** A plain connection: for clients that misbehave. */
function dial(t: Context, folder: string): net.Socket {
  const socket = net.connect(path.join(folder, 's'));
  socket.on('error', () => {});
  t.after(() => void socket.destroy());
  return socket;
}

async function elapsed(ending: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await ending;
  return performance.now() - started;
}

/** Nothing but the two databases is left, and the figures of a server that was asked something: no socket file, no write-ahead log. */
function assertTidy(folder: string): void {
  const left = fs.readdirSync(folder).filter((name) => name !== 'bakeserv-figures');
  assert.deepEqual(left.sort(), ['hashserv.db', 'prserv.db']);
}

/** A client whose requests have been read: the server has answered others that came later. */
async function surelyRead(server: ServerProcess): Promise<void> {
  const other = await server.hash();
  for (let i = 0; i < 5; i++) await other.invoke('ping', {});
}

describe('a server that is told to stop', { concurrency: true }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`on ${signal} with idle clients ends at once with status 0 and leaves nothing behind`, async (t) => {
      const folder = temporaryFolder(t);
      const server = await serve(t, { folder });
      const [hashClient, prClient] = [await server.hash(), await server.pr()];
      await report(hashClient, 'a');
      await getPr(prClient, 'p', 'c');
      dial(t, folder);
      // The drain time is 5 s: far below it, and far above what a busy machine needs.
      assert.ok((await elapsed(server.stop(signal))) < 3000);
      assert.deepEqual(await server.ended, CLEAN);
      assertTidy(folder);
    });
  }

  test('answers what it has read, although another program holds the lock meanwhile', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.hash();
    const other = await openOther(t, path.join(folder, 'hashserv.db'));
    await other.exec('BEGIN IMMEDIATE');
    const names = Array.from({ length: 100 }, (_, i) => `busy${i}`);
    const answers = Promise.all(names.map((name) => report(client, name)));
    await surelyRead(server);
    const ended = server.stop();
    await server.logged(/stopping on SIGTERM/);
    await other.exec('ROLLBACK');
    const unihashes = await answers;
    assert.deepEqual(await ended, CLEAN);
    await other.close();
    assertTidy(folder);

    const next = await serve(t, { folder });
    const reader = await next.hash();
    for (const [i, name] of names.entries()) assert.equal(await storedUnihash(reader, name), unihashes[i]);
  });

  test('ends within 10 s with status 0 although the locks of both files never come', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    for (const file of ['hashserv.db', 'prserv.db']) {
      const other = await openOther(t, path.join(folder, file));
      await other.exec('BEGIN IMMEDIATE');
    }
    const [hashes, prs] = [await server.hash(), await server.pr()];
    const refused = [assert.rejects(report(hashes, 'never')), assert.rejects(getPr(prs, 'p', 'never'))];
    await surelyRead(server);
    assert.ok((await elapsed(server.stop())) < 9500);
    await Promise.all(refused);
    assert.deepEqual(await server.ended, CLEAN, server.stderr());
  });

  test('ends within 10 s with status 0 although a locked file keeps it from storing what its upstream knew', async (t) => {
    const folder = temporaryFolder(t);
    const upstream = await fakeUpstream(t);
    const server = await serve(t, { folder, args: ['--hashserv-upstream', upstream.address] });
    const other = await openOther(t, path.join(folder, 'hashserv.db'));
    await other.exec('BEGIN IMMEDIATE');
    const client = await server.hash();
    // Several batches: each would wait 10 s for the lock.
    const tasks = Array.from({ length: 3000 }, (_, i) => `${METHOD} a${i}`);
    assert.deepEqual(await client.stream('get-stream', tasks), tasks.map(unihashOf));
    // A server that is not done after 10 s ends itself with status 1.
    assert.deepEqual(await server.stop(), CLEAN, server.stderr());
    assert.match(server.stderr(), /backfill: the server stops before all rows from the upstream were stored/);
  });

  test('ends within 10 s with status 0 although clients are stuck', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'big', { outhash_siginfo: 'x'.repeat(500_000) });
    // Asks for 50 MB and reads none of it.
    const deaf = dial(t, folder).pause();
    const { method, taskhash } = reportOf('big');
    deaf.write(`OEHASHEQUIV 1.1\n\n${`${JSON.stringify({ get: { method, taskhash, all: true } })}\n`.repeat(100)}`);
    // Half a handshake, half a message.
    dial(t, folder).write('OEHASHEQUIV 1.1\n');
    dial(t, folder).write('PRSERVICE 1.0\n\n{"get-pr": {"ver');
    await surelyRead(server);
    assert.ok((await elapsed(server.stop())) < 10_000);
    assert.deepEqual(await server.ended, CLEAN);
    assertTidy(folder);
  });

  test('ends at once on a second signal', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const other = await openOther(t, path.join(folder, 'hashserv.db'));
    await other.exec('BEGIN IMMEDIATE');
    const refused = assert.rejects(report(await server.hash(), 'lost'));
    await surelyRead(server);
    server.child.kill('SIGTERM');
    await server.logged(/stopping on SIGTERM/);
    assert.ok((await elapsed(server.stop('SIGINT'))) < 3000);
    assert.equal((await server.ended).status, 130);
    assert.ok(!fs.existsSync(path.join(folder, 's')));
    await refused;
  });
});
