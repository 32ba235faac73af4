import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Admission } from '../../lib/asyncrpc/admission.ts';
import type { Connection } from '../../lib/asyncrpc/connection.ts';
import { BadLine, type CommandRow, Dispatcher } from '../../lib/asyncrpc/dispatch.ts';
import { clientMessage } from '../../lib/asyncrpc/faults.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import type { Json } from '../../lib/asyncrpc/messages.ts';
import { createValidator, isHash, isPrValue, isText, isUnihash } from '../../lib/asyncrpc/schema.ts';
import { type Outcome, StreamFailure } from '../../lib/asyncrpc/service.ts';
import { InvokeError, STORAGE_TEXTS, StorageError, type StorageErrorCode } from '../../lib/errors.ts';

/** Newcomers to an Admission and what became of them. */
function door(limits: { maxHandshakes: number; maxHandshakesPerAddress: number }) {
  const admission = new Admission({ ...DEFAULT_LIMITS, ...limits });
  const started: string[] = [];
  const evicted: string[] = [];
  const connections = new Map<string, Connection>();
  const admit = (name: string, address: string | null, openedAt = 0) =>
    admission.admit({
      address,
      start: () => {
        started.push(name);
        const connection = { openedAt, destroy: () => void evicted.push(name) } as unknown as Connection;
        connections.set(name, connection);
        return connection;
      },
    });
  return { admission, admit, started, evicted, done: (name: string) => admission.done(connections.get(name)!) };
}

describe('admission to the handshake', () => {
  test('lets in as many as there is room for, the others in order as room is made', () => {
    const { admit, started, done } = door({ maxHandshakes: 2, maxHandshakesPerAddress: 2 });
    for (const name of ['a', 'b', 'c', 'd']) admit(name, null);
    assert.deepEqual(started, ['a', 'b']);
    done('b');
    assert.deepEqual(started, ['a', 'b', 'c']);
    done('b');
    assert.deepEqual(started, ['a', 'b', 'c'], 'a place is given up once');
    done('a');
    assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  });

  test('an address over its share does not keep another waiting', () => {
    const { admit, started, done } = door({ maxHandshakes: 3, maxHandshakesPerAddress: 2 });
    for (const [name, address] of [
      ['a1', 'A'],
      ['a2', 'A'],
      ['a3', 'A'],
      ['b1', 'B'],
    ] as const)
      admit(name, address);
    assert.deepEqual(started, ['a1', 'a2', 'b1']);
    done('b1');
    assert.deepEqual(started, ['a1', 'a2', 'b1']);
    done('a1');
    assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3']);
  });

  test('who leaves while waiting is not started', () => {
    const { admission, admit, started, done } = door({ maxHandshakes: 1, maxHandshakesPerAddress: 1 });
    admit('a', null);
    const place = admit('b', null);
    admit('c', null);
    place.abandon();
    assert.equal(admission.waiting, 1);
    done('a');
    assert.deepEqual(started, ['a', 'c']);
  });

  test('those that stalled make room for those that wait, one each, the oldest first', () => {
    const { admission, admit, started, evicted } = door({ maxHandshakes: 3, maxHandshakesPerAddress: 3 });
    admit('old', null, 0);
    admit('older than a second', null, 500);
    admit('young', null, 1500);
    admit('x', null, 2000);
    admission.evictStalled(900);
    assert.deepEqual(evicted, []);
    admission.evictStalled(2000);
    assert.deepEqual(evicted, ['old']);
    admit('y', null, 2000);
    admit('z', null, 2000);
    admission.evictStalled(2100);
    assert.deepEqual(evicted, ['old', 'older than a second']);
    assert.deepEqual(started, ['old', 'older than a second', 'young', 'x', 'y']);
  });

  test('where only an address is over its share, only its own make room', () => {
    const { admission, admit, evicted, started } = door({ maxHandshakes: 5, maxHandshakesPerAddress: 1 });
    admit('b', 'B');
    admit('a1', 'A');
    admit('a2', 'A');
    admission.evictStalled(5000);
    assert.deepEqual(evicted, ['a1']);
    assert.deepEqual(started, ['b', 'a1', 'a2']);
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
  more: { readOnly?: boolean; authorize?: () => Error | null | Promise<Error | null> } = {},
) {
  const recorded: number[] = [];
  const options = {
    rows,
    readOnly: false,
    ajv: createValidator(),
    record: (count: number) => void recorded.push(count),
    ...more,
  };
  const made = new Dispatcher<null, Row>(options);
  const invoke = async (name: string, args: readonly Json[]): Promise<readonly Outcome[]> =>
    made.invoke(null, made.command(name)!, args);
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
    assert.equal(await made.enterStream(null, made.command('s')!), failure);
  });

  test('on a read-only server refuses what writes, or answers what the row says, before rights are asked', async () => {
    const authorize = () => new InvokeError('denied');
    const rows: Record<string, Row> = {
      write: { needs: ['@a'], writes: true, handle: () => 1 },
      quiet: { needs: [], writes: true, readOnlyReply: null, schema: NUMBER, handle: () => 1 },
    };
    const { invoke } = dispatcher(rows, { readOnly: true, authorize });
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
    assert.equal(await made.stream(null, command, ['a', 'b']), 'a!\nb!\n');
    await assert.rejects(
      async () => made.stream(null, command, ['a', 'b', 'bad', 'c']),
      (error: Error) => {
        assert.ok(error instanceof StreamFailure && error.cause instanceof BadLine);
        assert.equal(error.answered, 'a!\nb!\n');
        return true;
      },
    );
  });
});
