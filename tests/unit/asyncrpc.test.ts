import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import type { CommandRow } from '../../lib/asyncrpc/command-row.ts';
import { BadLine, createDispatcher } from '../../lib/asyncrpc/dispatch.ts';
import { clientMessage } from '../../lib/asyncrpc/faults.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import type { Access } from '../../lib/asyncrpc/rights.ts';
import { Admission, type Newcomer } from '../../lib/asyncrpc/server/admission.ts';
import { countedAddress, Places } from '../../lib/asyncrpc/server/places.ts';
import { type Outcome, StreamFailure } from '../../lib/asyncrpc/service.ts';
import { createValidator, isHash, isPrValue, isText, isUnihash } from '../../lib/asyncrpc/wire/formats.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { InvokeError, STORAGE_TEXTS, StorageError, type StorageErrorCode } from '../../lib/errors.ts';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';
import { settingsSchema } from '../../lib/settings/schema.ts';

/** Handshakes, and which of them were ended. */
function door(limits: { maxHandshakes: number; maxHandshakesPerAddress: number }) {
  const admission = new Admission({ ...DEFAULT_LIMITS, ...limits });
  const evicted: string[] = [];
  const newcomers = new Map<string, Newcomer>();
  const begin = (name: string, address: string | null) => {
    const newcomer = { address, destroy: () => void evicted.push(name) };
    newcomers.set(name, newcomer);
    admission.begin(newcomer);
  };
  return { admission, begin, evicted, done: (name: string) => admission.done(newcomers.get(name)!) };
}

describe('handshakes', () => {
  test('that last a second are the oldest few at most', () => {
    const { admission, begin, evicted, done } = door({ maxHandshakes: 2, maxHandshakesPerAddress: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) begin(name, null);
    for (let tick = 0; tick < 3; tick++) admission.evictStalled(250);
    begin('young', null);
    done('b');
    assert.deepEqual(evicted, []);
    admission.evictStalled(250);
    assert.deepEqual(evicted, ['a', 'c']);
    admission.evictStalled(250);
    assert.deepEqual(evicted, ['a', 'c']);
    assert.equal(admission.size, 3);
  });

  test('of one address go when there are too many of it, those of others do not', () => {
    const { admission, begin, evicted } = door({ maxHandshakes: 5, maxHandshakesPerAddress: 1 });
    for (const [name, address] of [
      ['b', 'B'],
      ['a1', 'A'],
      ['unix', null],
      ['a2', 'A'],
      ['a3', 'A'],
    ] as const)
      begin(name, address);
    for (let tick = 0; tick < 4; tick++) admission.evictStalled(250);
    assert.deepEqual(evicted, ['a1', 'a2']);
  });

  test('are not the older for an event loop that stood still', () => {
    const { admission, begin, evicted } = door({ maxHandshakes: 0, maxHandshakesPerAddress: 0 });
    begin('a', 'A');
    admission.evictStalled(60_000);
    assert.deepEqual(evicted, []);
  });
});

describe('places', () => {
  const places = new Places({ ...DEFAULT_LIMITS, maxConnections: 32, maxConnectionsPerAddress: 16 });
  const fill = (address: string | null) => {
    let taken = 0;
    while (places.take(address) === null) taken++;
    return taken;
  };

  test('are not all for one address, nor all for the network', () => {
    assert.equal(fill('A'), 16);
    assert.match(places.take('A')!.what, /of an address/);
    assert.equal(fill('B'), 14);
    assert.match(places.take('C')!.what, /^connection limit reached/);
    assert.equal(fill(null), 2);
    places.leave('A');
    places.leave(null);
    assert.equal(fill('C'), 1);
    assert.equal(fill(null), 1);
  });

  test('are counted by what a client has to itself', () => {
    const same = ['2001:db8::1', '2001:db8:0:0:1::2', '2001:db8::ffff:1%eth0'].map(countedAddress);
    assert.deepEqual(new Set(same), new Set(['2001:db8:0:0::/64']));
    assert.notEqual(countedAddress('2001:db8:0:1::1'), same[0]);
    assert.equal(countedAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(countedAddress('192.0.2.1'), '192.0.2.1');
    assert.equal(countedAddress(null), null);
    assert.equal(countedAddress('::1'), '0:0:0:0::/64');
  });
});

describe('formats', () => {
  const cases: readonly (readonly [(text: string) => boolean, good: readonly string[], bad: readonly string[]])[] = [
    [
      isUnihash,
      ['a'.repeat(64), '0123456789abcdef'.repeat(4)],
      ['', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(63)}\n`, `${'a'.repeat(64)}\n`],
    ],
    [
      isHash,
      ['a', 'a b', 'é'.repeat(128), '__proto__'],
      ['', 'a\0', 'a\n', '\u007f', '\ud800', 'é'.repeat(129), 'a'.repeat(257)],
    ],
    [isText, ['', 'a\nb', 'é'.repeat(512)], ['\0', '\udc00', 'é'.repeat(513), 'a'.repeat(1025)]],
    [
      isPrValue,
      ['0', '999999999', '1.2.3', Array(16).fill('1').join('.')],
      ['', '-1', '1.', '.1', '1..2', '1000000000', '1\n', '1 ', '+1', '0x1', '١', Array(17).fill('1').join('.')],
    ],
  ];
  for (const [format, good, bad] of cases) {
    test(`${format.name} takes what is good and nothing else`, () => {
      for (const text of good) assert.equal(format(text), true, JSON.stringify(text));
      for (const text of bad) assert.equal(format(text), false, JSON.stringify(text));
    });
  }
});

type Row = CommandRow<null>;

function dispatcher(
  rows: Record<string, Row>,
  more: { access?: Access; authorize?: () => Error | null | Promise<Error | null> } = {},
) {
  const recorded: number[] = [];
  const options = {
    rows,
    access: 'read-write' as Access,
    validator: createValidator(),
    stats: { record: (count: number) => void recorded.push(count) },
    ...more,
  };
  const made = createDispatcher<null, Row>(options)(null, { awaitsLogin: false, isStale: false, close() {} });
  const invoke = async (name: string, args: readonly Json[]): Promise<readonly Outcome[]> =>
    made.invoke(made.command(name)!, args);
  return { made, invoke, recorded };
}

const NUMBER = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };

describe('the dispatcher', () => {
  test('answers neighbouring requests in order, the refused ones between the good', async () => {
    const { invoke, recorded } = dispatcher({
      double: { needs: [], schema: NUMBER, batch: (_, args: readonly { n: number }[]) => args.map(({ n }) => n * 2) },
    });
    const outcomes = await invoke('double', [{ n: 1 }, { n: 'x' }, { n: 3 }, null]);
    assert.deepEqual([outcomes[0], outcomes[2]], [2, 6]);
    assert.equal((outcomes[1] as Error).message, 'double: n must be number');
    assert.ok(outcomes[3] instanceof InvokeError);
    assert.deepEqual(recorded, [4]);
  });

  test('never throws: what a handler throws is the outcome, and its details are not for the client', async () => {
    const boom = new Error('at /secret/path');
    const { invoke } = dispatcher({
      now: {
        needs: [],
        handle: () => {
          throw boom;
        },
      },
      later: {
        needs: [],
        handle: async () => {
          throw boom;
        },
      },
    });
    assert.deepEqual(await invoke('now', [{}]), [boom]);
    assert.deepEqual(await invoke('later', [{}]), [boom]);
    assert.equal(clientMessage(boom), 'Internal error; the server log has the details');
    assert.equal(clientMessage(new StorageError('storage-full', 'storage full')), 'storage full');
  });

  test('a failed database is told without its path and without what lay beneath', () => {
    const cause = new Error('SQLITE_IOERR: disk I/O error');
    const failure = new StorageError('storage-io', `the database failed (${cause.message}): /secret/x.db`, cause);
    assert.equal(clientMessage(failure), 'the database failed');
    for (const [code, text] of Object.entries(STORAGE_TEXTS)) {
      assert.equal(clientMessage(new StorageError(code as StorageErrorCode, 'in /secret/x.db')), text);
      assert.doesNotMatch(text, /\/|SQL/);
    }
  });

  test('a check of rights that fails is the outcome too', async () => {
    const failure = new StorageError('storage-busy', 'locked');
    const authorize = () => Promise.reject(failure);
    const { made, invoke } = dispatcher(
      { x: { needs: ['@a'], handle: () => 1 }, s: { needs: ['@a'], stream: () => '' } },
      { authorize },
    );
    assert.deepEqual(await invoke('x', [{}, {}]), [failure, failure]);
    assert.equal(await made.refuses(made.command('s')!), failure);
  });

  test('on a read-only server refuses what writes, or answers what the row says, before rights are asked', async () => {
    const authorize = () => new InvokeError('denied');
    const rows: Record<string, Row> = {
      write: { needs: ['@a'], writes: true, handle: () => 1 },
      quiet: { needs: [], writes: true, readOnlyReply: null, schema: NUMBER, handle: () => 1 },
    };
    const { invoke } = dispatcher(rows, { access: 'read-only', authorize });
    assert.match(((await invoke('write', [{}]))[0] as Error).message, /read-only/);
    const [good, bad] = await invoke('quiet', [{ n: 1 }, {}]);
    assert.equal(good, null);
    assert.ok(bad instanceof InvokeError);
  });

  test('knows the commands of its table and nothing that objects inherit', () => {
    const { made } = dispatcher({ ping: { needs: [], handle: () => 1 } });
    assert.equal(made.command('ping')?.name, 'ping');
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])
      assert.equal(made.command(name), null);
  });

  test('at a bad line of a stream gives the answers of those before it', async () => {
    const stream = (_: null, lines: readonly string[]) => {
      const bad = lines.indexOf('bad');
      if (bad >= 0) throw new BadLine(bad, 'Bad line');
      return lines.map((line) => `${line}!\n`).join('');
    };
    const { made } = dispatcher({ s: { needs: [], stream } });
    const command = made.command('s')!;
    assert.equal(await made.stream(command, ['a', 'b']), 'a!\nb!\n');
    await assert.rejects(
      async () => made.stream(command, ['a', 'b', 'bad', 'c']),
      (error: Error) => {
        assert.ok(error instanceof StreamFailure && error.cause instanceof BadLine);
        assert.equal(error.answered, 'a!\nb!\n');
        return true;
      },
    );
  });
});

test('the schemas of arguments and settings are well-formed, which validators take for granted', () => {
  const rows = Object.entries<Pick<CommandRow<never>, 'schema'>>({ ...HASH_COMMANDS, ...PR_COMMANDS });
  const schemas = rows.flatMap(([name, { schema }]) => (schema ? [[name, schema] as const] : []));
  assert.ok(schemas.length > 20);
  const judge = new Ajv();
  for (const [name, schema] of [...schemas, ['settings', settingsSchema()] as const])
    assert.ok(judge.validateSchema(schema), `${name}: ${judge.errorsText()}`);
});
