import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Command, Outcome, Service, Session } from '../../lib/asyncrpc/service.ts';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { SILENT } from '../../lib/log.ts';
import { ownCertificate, temporaryFolder } from './helpers.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  long: { name: 'long', stream: false, batches: false },
  lines: { name: 'lines', stream: true, batches: false },
};

/** A service whose answers are given by the test, whenever it likes. */
class LongService implements Service {
  readonly protocol = 'LONG';
  readonly accepts = () => true;
  readonly close = async () => {};
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>;
  /** Resolves when a request is worked on, or a line of a stream. */
  readonly asked: Promise<void>;
  answer: (outcomes: readonly Outcome[]) => void = () => {};
  answerLine: (text: string) => void = () => {};
  private leave = () => {};
  private begin = () => {};

  constructor() {
    this.gone = new Promise((resolve) => {
      this.leave = resolve;
    });
    this.asked = new Promise((resolve) => {
      this.begin = resolve;
    });
  }

  open(): Session {
    return {
      command: (name) => COMMANDS[name] ?? null,
      awaitsLogin: false,
      invoke: () =>
        new Promise((resolve) => {
          this.answer = resolve;
          this.begin();
        }),
      refuses: () => null,
      stream: () =>
        new Promise((resolve) => {
          this.answerLine = resolve;
          this.begin();
        }),
      close: () => this.leave(),
    };
  }
}

const KINDS = {
  'a Unix socket': (folder: string) => ({ kind: 'unix', path: `${folder}/s` }) as const,
  TCP: () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 }) as const,
  TLS: () => ({ kind: 'tls', host: '127.0.0.1', port: 0 }) as const,
};

async function asked(t: TestContext, kind: keyof typeof KINDS, request: string) {
  const service = new LongService();
  const hub = createHub([service], DEFAULT_LIMITS, SILENT);
  const { tls: files, caFile } = ownCertificate(temporaryFolder(t));
  const ca = fs.readFileSync(caFile);
  const listener = await listen(KINDS[kind](temporaryFolder(t)), hub, DEFAULT_LIMITS, SILENT, { tls: files });
  t.after(async () => {
    await listener.close();
    await hub.drain();
  });
  const { address } = listener;
  const open = { allowHalfOpen: true };
  const there = { port: Number(formatAddress(address).split(':').at(-1)), host: '127.0.0.1', ...open };
  const client =
    address.kind === 'unix'
      ? net.connect({ path: address.path, ...open })
      : address.kind === 'tls'
        ? tls.connect({ ...there, servername: 'localhost', ca })
        : net.connect(there);
  client.on('error', () => {});
  t.after(() => client.destroy());
  client.write(`LONG 1.0\n\n${request}\n`);
  await service.asked;
  return { service, client };
}

for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
  describe(`while a long command is worked on, over ${kind},`, { concurrency: true, timeout: 20_000 }, () => {
    test('a client that has gone is noticed', async (t) => {
      const { service, client } = await asked(t, kind, '{"long": {}}');
      client.destroy();
      await service.gone;
    });

    test('a client that has only ended its input has its answers, each a JSON value on a line', async (t) => {
      const { service, client } = await asked(t, kind, '{"long": {}}\n{"long": {}}');
      client.end();
      await once(client, 'readable');
      const before = client.read().toString();
      assert.match(before, /^ +$/, 'it was looked for');
      const rest = text(client);
      service.answer([{ count: 1 }]);
      // The second is handed over once the first is answered.
      const first = service.answer;
      while (service.answer === first) await new Promise((resolve) => setImmediate(resolve));
      service.answer([{ count: 2 }]);
      const lines = (before + (await rest)).split('\n');
      assert.deepEqual(
        lines.slice(0, -1).map((line) => JSON.parse(line)),
        [{ count: 1 }, { count: 2 }],
      );
      assert.equal(lines.at(-1), '');
    });

    test('nothing is put between the lines of a stream', async (t) => {
      const { service, client } = await asked(t, kind, '{"lines": null}\na\nEND\n{"long": {}}');
      client.end();
      const said: string[] = [];
      client.on('data', (chunk) => said.push(chunk.toString()));
      // Another connection of the same age is looked for, in its turn after this one.
      const other = await asked(t, kind, '{"long": {}}');
      other.client.end();
      await once(other.client, 'readable');
      service.answerLine('A\n');
      while (!said.join('').includes('ok\n')) await once(client, 'data');
      while (!said.join('').endsWith('ok\n ')) await once(client, 'data');
      service.answer([{ count: 1 }]);
      await once(client, 'end');
      assert.match(said.join(''), /^"ok"\nA\nok\n +\{"count": 1\}\n$/);
    });
  });
}
