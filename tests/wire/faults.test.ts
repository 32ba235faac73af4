import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub, type Hub } from '../../lib/asyncrpc/server/hub.ts';
import { createLoopGuard } from '../../lib/asyncrpc/upstream/loop-guard.ts';
import { encodeJson, type Json } from '../../lib/asyncrpc/wire/messages.ts';
import { WriteGate } from '../../lib/asyncrpc/write-gate.ts';
import { STORAGE_TEXTS, StorageError, type StorageErrorCode } from '../../lib/errors.ts';
import { createHashService } from '../../lib/hashserv/service.ts';
import type { HashStore } from '../../lib/hashserv/store.ts';
import { type LogFields, SILENT } from '../../lib/log.ts';
import { createPrService } from '../../lib/prserv/service.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { duplexPair, hash, METHOD, temporaryFolder, WireClient } from './helpers.ts';

const HASHSERV = 'OEHASHEQUIV 1.1';
const PRSERV = 'PRSERVICE 1.0';
const ALIVE = { alive: true };

/** Every way a store can fail, and what a client that asks to be told is told of it. */
const FAULTS: readonly { readonly name: string; readonly error: Error; readonly text: string }[] = [
  ...(Object.keys(STORAGE_TEXTS) as StorageErrorCode[]).map((code) => ({
    name: code,
    error: new StorageError(code, `/var/lib/h.db: SQLITE_${code}`),
    text: STORAGE_TEXTS[code],
  })),
  {
    name: 'an unforeseen error',
    error: new TypeError('x is not a function'),
    text: 'Internal error; the server log has the details',
  },
];

const task = { method: METHOD, taskhash: 'unknown' };
const MESSAGES: readonly (readonly [string, Json])[] = [
  ['get', task],
  ['get', { ...task, all: true }],
  ['get-outhash', { ...task, outhash: 'o' }],
  ['report', { ...task, outhash: 'o', unihash: hash(7) }],
  ['report-equiv', { ...task, unihash: hash(7) }],
  ['remove', { where: { method: METHOD } }],
  ['gc-mark', { mark: 'm', where: { method: METHOD } }],
  ['gc-status', {}],
  ['gc-sweep', { mark: 'm' }],
  ['clean-unused', { max_age_seconds: 1 }],
  ['get-db-usage', {}],
  ['count-rows', { where: { method: METHOD } }],
  ['auth', { username: 'me', token: 'x' }],
];
/** A line whose answer is there when the store fails, its answer, and one that needs the store. */
const STREAMS: readonly (readonly [string, string, string, string])[] = [
  ['get-stream', `${METHOD} known`, hash(1), `${METHOD} unknown`],
  ['exists-stream', hash(1), 'true', hash(2)],
  ['gc-mark-stream', `{"mark": "m", "where": {"unihash": "${hash(9)}"}}`, '{"count": 0}', '{"mark": "m", "where": {}}'],
];

interface Failing {
  readonly hub: Hub;
  /** With an error, every use of a store fails with it from here on: as a rejection, or thrown at once. */
  fail(error: Error | null, atOnce?: boolean): void;
  readonly logged: { readonly message: string; readonly fields: LogFields }[];
}

/** Both services on real stores that can be made to fail. */
async function failing(t: { after(fn: () => Promise<void>): void; name: string }): Promise<Failing> {
  const folder = temporaryFolder(t as never);
  const logged: Failing['logged'] = [];
  const log = { ...SILENT, error: (message: string, fields: LogFields = {}) => void logged.push({ message, fields }) };
  const options = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
  const onFatal = (error: Error) => assert.fail(error);
  const database = await openDatabase({ file: path.join(folder, 'one.db'), ...options, onFatal });
  let fault: Error | null = null;
  let thrown = false;
  const breakable = <Store extends object>(store: Store) =>
    new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name);
        // What is known by heart does not ask the database.
        if (typeof member !== 'function' || String(name).startsWith('known')) return member;
        return (...args: unknown[]) => {
          if (fault && thrown) throw fault;
          return fault ? Promise.reject(fault) : member.apply(target, args);
        };
      },
    });
  const store: HashStore = await createHashStore({ database, cacheBytes: 1024 * 1024, log: SILENT });
  const prStore: PrStore = await createPrStore(database, SILENT);
  const guard = createLoopGuard(SILENT);
  const gate = new WriteGate();
  const anonymousPermissions = () => ['@read', '@report', '@db-admin'];
  const services = [
    createHashService({ store: breakable(store), log: SILENT, upstream: null, guard, gate, anonymousPermissions }),
    createPrService({
      store: breakable(prStore),
      log: SILENT,
      upstream: null,
      guard,
      gate,
      defaultHistory: false,
      mayRemove: () => true,
    }),
  ];
  const hub = createHub(services, DEFAULT_LIMITS, log);
  t.after(async () => {
    await hub.drain();
    await database.close(1000);
  });
  const fail = (error: Error | null, atOnce = false) => {
    fault = error;
    thrown = atOnce;
  };
  return { hub, fail, logged };
}

function connect(t: { after(fn: () => void): void }, hub: Hub, headers = '', protocol = HASHSERV): WireClient {
  const [end, server] = duplexPair();
  hub.accept(server, { name: 'a client', address: null, local: true });
  const client = new WireClient(end);
  t.after(() => client.close());
  client.send(`${protocol}\n${headers}\n`);
  return client;
}

const TELL = 'bakeserv-errors: tell\n';
const request = (command: string, args: Json) => `${encodeJson({ [command]: args })}\n`;
const told = (text: string) => ({ 'invoke-error': { message: text } });

/** What BitBake's client makes of an answer: an invoke-error ends the build, a lost connection does not. */
class BuildEnded extends Error {}

/** A client as BitBake's: a lost connection means "go on without equivalence", an invoke-error the end of the build. */
async function askAsBitBake(t: { after(fn: () => void): void }, hub: Hub, text: string): Promise<string | 'without'> {
  const client = connect(t, hub, 'needs-headers: false\n');
  client.send(text);
  const line = await client.line();
  if (line === null) return 'without';
  if (line.includes('invoke-error')) throw new BuildEnded(line);
  return line;
}

for (const { name, error, text } of FAULTS) {
  describe(`with a store that fails (${name})`, () => {
    test('the build of a BitBake client goes on, whatever it asks, and its next connection is served', async (t) => {
      const { hub, fail, logged } = await failing(t);
      for (const atOnce of [false, true]) {
        fail(error, atOnce);
        for (const [command, args] of MESSAGES)
          assert.equal(await askAsBitBake(t, hub, request(command, args)), 'without', command);
        assert.equal(logged.length, MESSAGES.length);
        for (const { fields } of logged.splice(0)) assert.deepEqual(fields, { peer: 'a client', error });
      }
      fail(null);
      assert.equal(await askAsBitBake(t, hub, request('get', task)), 'null');
    });

    test('answers to earlier requests come whole and in order before the connection is closed', async (t) => {
      const { hub, fail } = await failing(t);
      fail(error);
      for (const [command, args] of MESSAGES) {
        const client = connect(t, hub);
        client.send(request('ping', 1) + request('nonsense', {}) + request(command, args) + request('ping', 2));
        assert.deepEqual(await client.message(), ALIVE);
        assert.deepEqual(await client.message(), told('Unknown command "nonsense"'));
        assert.equal(await client.line(), null, command);
      }
    });

    test('a stream of a BitBake client gives the answers there are, then is closed', async (t) => {
      const { hub, fail, logged } = await failing(t);
      const known = connect(t, hub);
      await known.ask('report', { ...task, taskhash: 'known', outhash: 'o', unihash: hash(1) });
      for (const [command, line, answer, failingLine] of STREAMS) {
        const client = connect(t, hub);
        client.send(`${request(command, null)}${line}\n`);
        assert.equal(await client.line(), '"ok"');
        assert.equal(await client.line(), answer);
        fail(error);
        client.send(`${failingLine}\n${failingLine}\nEND\n`);
        assert.equal(await client.line(), null, command);
        fail(null);
      }
      assert.equal(logged.length, STREAMS.length);
    });

    test('a client that asks to be told has an invoke-error for it, and its connection goes on', async (t) => {
      const { hub, fail } = await failing(t);
      const client = connect(t, hub, TELL);
      await client.ask('report', { ...task, taskhash: 'known', outhash: 'o', unihash: hash(1) });
      for (const [command, args] of MESSAGES) {
        fail(error);
        assert.deepEqual(await client.ask(command, args), told(text), command);
        assert.deepEqual(await client.ask('ping', {}), ALIVE);
      }
      fail(null);
      for (const [command, line, answer, failingLine] of STREAMS) {
        client.send(`${request(command, null)}${line}\n`);
        assert.equal(await client.line(), '"ok"');
        assert.equal(await client.line(), answer);
        fail(error);
        // Lines that fail together are answered one by one all the same.
        client.send(`${failingLine}\n`.repeat(3));
        const answers = [await client.line()];
        fail(null);
        client.send(`${line}\nEND\n`);
        while (answers.at(-1) !== 'ok') answers.push(await client.line());
        const refusal = encodeJson(told(text));
        assert.deepEqual(answers, [refusal, refusal, refusal, answer, 'ok'], command);
      }
      assert.equal(await client.ask('get', task), null);
    });

    test('of the PR service it is an invoke-error for everybody: a value must not be invented', async (t) => {
      const { hub, fail } = await failing(t);
      fail(error);
      const pkg = { version: 'p-1-r0', pkgarch: 'all', checksum: 'c' };
      const client = connect(t, hub, '', PRSERV);
      for (const command of ['get-pr', 'test-pr', 'max-package-pr', 'test-package', 'export'])
        assert.deepEqual(await client.ask(command, pkg), told(text), command);
      assert.deepEqual(await client.ask('import-one', { ...pkg, value: '1' }), told(text));
      fail(null);
      assert.deepEqual(await client.ask('get-pr', pkg), { value: '0' });
    });

    test('the plain form, a person or a script, is told', async (t) => {
      const { hub, fail } = await failing(t);
      const [end, server] = duplexPair();
      hub.accept(server, { name: 'a client', address: null, local: true });
      const client = new WireClient(end);
      t.after(() => client.close());
      fail(error);
      client.send(`${encodeJson({ id: 1, method: 'get', params: task })}\n`);
      assert.deepEqual(await client.message(), { id: 1, result: null, error: { message: text } });
      client.send(`${encodeJson({ id: 2, method: 'get-stream', params: { lines: [`${METHOD} x`] } })}\n`);
      assert.deepEqual(await client.message(), { id: 2, result: null, error: { message: text } });
    });
  });
}

describe('a refusal that is the client’s own doing', () => {
  test('is an invoke-error for everybody, also of a client that is not told of faults', async (t) => {
    const { hub, fail } = await failing(t);
    fail(new Error('of no concern here'));
    const client = connect(t, hub);
    for (const [command, args, says] of [
      ['get', {}, 'get: method is missing'],
      ['nonsense', {}, 'Unknown command "nonsense"'],
      [
        'new-user',
        { username: 'x', permissions: [] },
        'Anonymous user is not allowed to access permissions(s) @user-admin',
      ],
      ['remove', { where: { tashkhash: 'x' } }, null],
    ] as [string, Json, string | null][]) {
      const reply = (await client.ask(command, args)) as { 'invoke-error': { message: string } };
      if (says === null) assert.match(reply['invoke-error'].message, /tashkhash/);
      else assert.deepEqual(reply, told(says));
    }
    client.send(`${request('get-stream', null)}bad\n`);
    assert.equal(await client.line(), '"ok"');
    assert.match((await client.line())!, /invoke-error.*Bad line in the stream/);
  });

  test('of a run of requests one is refused, one fails: those before the fault are answered', async (t) => {
    const { hub, fail } = await failing(t);
    fail(new StorageError('storage-full', 'full'));
    const report = { ...task, outhash: 'o', unihash: hash(7) };
    const client = connect(t, hub);
    client.send(request('report', { ...report, unihash: 'bad' }) + request('report', report).repeat(3));
    assert.deepEqual(await client.message(), told('Invalid unihash'));
    assert.equal(await client.line(), null);
  });
});

describe('the header bakeserv-errors', () => {
  test('counts whatever the case of it, and only with the value tell', async (t) => {
    const { hub, fail } = await failing(t);
    fail(new StorageError('storage-full', 'full'));
    for (const header of ['bakeserv-errors: tell', 'Bakeserv-Errors:TELL', ' BAKESERV-ERRORS : Tell '])
      assert.deepEqual(await connect(t, hub, `${header}\n`).ask('get', task), told('storage full'), header);
    for (const header of [
      'bakeserv-errors: telling',
      'bakeserv-errors:',
      'bakeserv-error: tell',
      'x: bakeserv-errors: tell',
    ]) {
      const client = connect(t, hub, `${header}\n`);
      client.send(request('get', task));
      assert.equal(await client.line(), null, header);
    }
  });
});
