import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Service } from '../../lib/asyncrpc/service.ts';
import type { Address } from '../../lib/asyncrpc/transport/address.ts';
import { type Listener, listen } from '../../lib/asyncrpc/transport/listen.ts';
import { AddressError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import { temporaryFolder } from './helpers.ts';

const unix = (file: string): Address => ({ kind: 'unix', path: file });

/** A service that answers every command with its own name. */
const named = (name: string): Service => ({
  protocol: 'TEST',
  accepts: () => true,
  close: async () => {},
  open: () => ({
    awaitsLogin: false,
    command: (command) => ({ name: command, stream: false, batches: false }),
    invoke: () => [name],
    refuses: () => null,
    stream: () => '',
    close() {},
  }),
});

/** A server of that name on a socket path; closed after the test. */
async function serverOn(t: { after(fn: () => void | Promise<void>): void }, file: string, name = 'first') {
  const hub = createHub([named(name)], DEFAULT_LIMITS, SILENT);
  const listener: Listener = await listen(unix(file), hub, DEFAULT_LIMITS, SILENT);
  const close = async () => {
    await listener.close();
    await hub.drain();
  };
  t.after(close);
  return { close };
}

/** A socket file whose server has ended. */
async function leaveStaleSocket(file: string): Promise<void> {
  const dead = net.createServer();
  await new Promise<void>((resolve) => dead.listen(`${file}.dead`, resolve));
  fs.renameSync(`${file}.dead`, file);
  await new Promise((resolve) => dead.close(resolve));
}

async function whoAnswers(file: string): Promise<unknown> {
  const client = await connectClient(unix(file), { protocol: 'TEST 1.0' });
  try {
    return await client.invoke('who', null);
  } finally {
    client.close();
  }
}

describe('a Unix socket', () => {
  for (const length of [100, 107, 108, 200, 400]) {
    test(`with a path of ${length} bytes is listened on, connected to and removed`, async (t) => {
      const folder = temporaryFolder(t);
      let deep = folder;
      while (deep.length + 60 < length) deep = path.join(deep, 'd'.repeat(Math.min(50, length - deep.length - 52)));
      fs.mkdirSync(deep, { recursive: true });
      const file = path.join(deep, 's'.repeat(length - deep.length - 1));
      assert.equal(Buffer.byteLength(file), length);
      const server = await serverOn(t, file);
      assert.equal(await whoAnswers(file), 'first');
      await assert.rejects(serverOn(t, file, 'second'), /another server is listening there/);
      await server.close();
      assert.deepEqual(fs.readdirSync(deep), []);
    });
  }

  test('a relative path is one in the current folder', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 's');
    await serverOn(t, path.relative(process.cwd(), file));
    assert.equal(await whoAnswers(file), 'first');
  });

  test('that a dead server left is replaced', async (t) => {
    const file = path.join(temporaryFolder(t), 's');
    await leaveStaleSocket(file);
    assert.ok(fs.statSync(file).isSocket());
    await serverOn(t, file);
    assert.equal(await whoAnswers(file), 'first');
  });

  for (const [what, stale] of [
    ['that is free', false],
    ['that a dead server left', true],
  ] as const) {
    test(`${what} goes to one of many servers that start at once, and stays with it`, async (t) => {
      const folder = temporaryFolder(t);
      const file = path.join(folder, 's');
      if (stale) await leaveStaleSocket(file);
      const starts = Array.from({ length: 12 }, (_, i) => serverOn(t, file, `server ${i}`));
      const outcomes = await Promise.allSettled(starts);
      const listening = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`server ${i}`] : []));
      assert.equal(listening.length, 1, `${listening.join(', ')} listen on one path`);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.match(outcome.reason.message, /another server is \w+ there/);
      assert.equal(await whoAnswers(file), listening[0]);
      assert.deepEqual(fs.readdirSync(folder), ['s']);
    });
  }

  test('of a live server is refused, and the live server goes on', async (t) => {
    const file = path.join(temporaryFolder(t), 's');
    await serverOn(t, file);
    await assert.rejects(serverOn(t, file, 'second'), (error: Error) => {
      assert.ok(error instanceof AddressError);
      assert.match(error.message, /another server is listening there; stop it or choose another path/);
      return true;
    });
    assert.equal(await whoAnswers(file), 'first');
  });

  test('is not put in place of a file, a folder or a link', async (t) => {
    const folder = temporaryFolder(t);
    const at = (name: string) => path.join(folder, name);
    fs.writeFileSync(at('file'), 'precious');
    fs.mkdirSync(at('folder'));
    fs.symlinkSync(at('file'), at('link'));
    for (const name of ['file', 'folder', 'link'])
      await assert.rejects(serverOn(t, at(name)), /a file that is no socket is in the way/);
    assert.equal(fs.readFileSync(at('file'), 'utf8'), 'precious');
    assert.deepEqual(fs.readdirSync(folder).sort(), ['file', 'folder', 'link']);
  });

  test('in a folder that is not there is refused with its name', async (t) => {
    const file = path.join(temporaryFolder(t), 'absent', 's');
    await assert.rejects(serverOn(t, file), (error: Error) => {
      assert.ok(error instanceof AddressError && error.message.includes(file), error.message);
      return true;
    });
  });

  test('of which nothing is said is its owner’s to connect to, by the usual umask', async (t) => {
    const before = process.umask(0o022);
    t.after(() => void process.umask(before));
    const file = path.join(temporaryFolder(t), 's');
    await serverOn(t, file);
    // Connecting takes the right to write.
    assert.equal(fs.statSync(file).mode & 0o777, 0o755);
  });

  test('is removed on close, but not when another server has put its own there', async (t) => {
    const file = path.join(temporaryFolder(t), 's');
    const first = await serverOn(t, file);
    fs.rmSync(file);
    const second = await serverOn(t, file, 'second');
    await first.close();
    assert.equal(await whoAnswers(file), 'second');
    await second.close();
    assert.equal(fs.existsSync(file), false);
  });

  test('without a server is an error that says what to do', async (t) => {
    const file = path.join(temporaryFolder(t), 's');
    await assert.rejects(whoAnswers(file), /no such socket; start a server with "bakeserv serve"/);
  });
});
