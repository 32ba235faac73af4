import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { slateOf } from '../../lib/asyncrpc/wire/slate.ts';
import { HashIndex } from '../../lib/storage/memory/hash-index.ts';
import { createHasher } from '../../lib/storage/memory/hasher.ts';
import { HASH_DIGITS, HASH_WORDS, readHash, writeHash } from '../../lib/storage/memory/hex.ts';
import { MOST_AHEAD, UnihashTable } from '../../lib/storage/memory/unihash-table.ts';

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);

function words(text: string): Int32Array {
  const read = new Int32Array(HASH_WORDS);
  assert.ok(readHash(slateOf(Buffer.from(text)).view, 0, read, 0));
  return read;
}

function lookUp(table: UnihashTable, method: string, taskhash: string): string | null {
  const number = table.methodNumber(method);
  const row = number < 0 ? -1 : table.findTask(number, words(taskhash));
  if (row < 0) return null;
  const { bytes, view } = slateOf(Buffer.alloc(HASH_DIGITS));
  table.writeUnihash(row, view, 0);
  return bytes.toString();
}

/** Looks up keys around `from` together, some of which are there. */
function assertAhead(table: UnihashTable, model: ReadonlyMap<string, string>, method: string, from: number): void {
  const number = table.methodNumber(method);
  if (number < 0) return;
  const { bytes, view } = slateOf(Buffer.alloc(HASH_DIGITS));
  const keys = Array.from({ length: MOST_AHEAD }, (_, i) => (from - 200 + 23 * i) >>> 0);
  const texts = keys.map((n) => n.toString(16).padStart(64, '0'));
  for (const count of [1, 7, MOST_AHEAD]) {
    for (const [i, text] of texts.entries()) table.ahead.words.set(words(text), i * HASH_WORDS);
    table.guessTasks(number, count);
    for (let i = 0; i < count; i++) {
      const row = table.taskAhead(number, i);
      if (row >= 0) table.writeUnihash(row, view, 0);
      assert.equal(row < 0 ? undefined : bytes.toString(), model.get(`${method} ${texts[i]}`));
    }
    const unihashes = [...new Set(model.values())].slice(0, count);
    for (const [i, text] of unihashes.entries()) table.ahead.words.set(words(text), i * HASH_WORDS);
    table.guessUnihashes(unihashes.length);
    // Of one whose row that stood for it has gone it is not said.
    for (const [i, text] of unihashes.entries()) assert.equal(table.hasUnihashAhead(i), table.hasUnihash(words(text)));
    for (const [i, text] of texts.entries()) table.ahead.words.set(words(text), i * HASH_WORDS);
    table.guessUnihashes(count);
    for (let i = 0; i < count; i++) assert.equal(table.hasUnihashAhead(i), false);
  }
}

describe('a hash in words', () => {
  test('is written as it was read', () => {
    fc.assert(
      fc.property(hex, fc.nat(5), (text, at) => {
        const bytes = Buffer.alloc(HASH_DIGITS + 5, 'x');
        writeHash(words(text), 0, slateOf(bytes).view, at);
        assert.equal(bytes.toString('latin1', at, at + HASH_DIGITS), text);
        assert.equal(bytes.toString('latin1', 0, at), 'x'.repeat(at));
      }),
    );
  });

  test('is no other text of 64 bytes', () => {
    fc.assert(
      fc.property(hex, fc.nat(63), fc.nat(255), (text, at, byte) => {
        const bytes = Buffer.from(text);
        bytes[at] = byte;
        const read = readHash(slateOf(bytes).view, 0, new Int32Array(HASH_WORDS), 0);
        assert.equal(read, /^[0-9a-f]{64}$/.test(bytes.toString('latin1')));
      }),
    );
  });
});

describe('the table of unihashes', () => {
  test('answers as a Map does, one by one and some together, through every growth, replacement and removal', () => {
    const method = fc.constantFrom('a', 'b', 'c');
    // Few keys that differ in one place, so that they meet; several at once, so that the index grows and shrinks.
    const key = fc.nat(3000).map((n) => n.toString(16).padStart(64, '0'));
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ kind: fc.constant('set' as const), method, from: fc.nat(3000), many: fc.nat(400) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('delete' as const), method, from: fc.nat(3000), many: fc.nat(300) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('clear' as const),
          method,
          from: fc.constant(0),
          many: fc.constant(0),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(fc.tuple(method, key)), (steps, asked) => {
        const table = new UnihashTable(64 * 1024 * 1024);
        const model = new Map<string, string>();
        let value = 0;
        for (const { kind, method, from, many } of steps) {
          if (kind === 'clear') {
            table.clear();
            model.clear();
          }
          for (let n = from; n < from + many; n++) {
            const taskhash = n.toString(16).padStart(64, '0');
            const unihash = (kind === 'set' ? value++ % 500 : 0).toString(16).padStart(64, 'f');
            if (kind === 'set') {
              assert.ok(table.set(method, words(taskhash), words(unihash)));
              model.set(`${method} ${taskhash}`, unihash);
            } else {
              table.delete(method, words(taskhash));
              model.delete(`${method} ${taskhash}`);
            }
          }
          for (const each of ['a', 'b', 'c']) assertAhead(table, model, each, from);
        }
        assert.equal(table.size, model.size);
        for (const [task, unihash] of model) {
          const [method, taskhash] = task.split(' ');
          assert.equal(lookUp(table, method!, taskhash!), unihash);
        }
        for (const [method, taskhash] of asked)
          assert.equal(lookUp(table, method, taskhash), model.get(`${method} ${taskhash}`) ?? null);
      }),
      { numRuns: 60 },
    );
  });

  test('says that a unihash is known while the row that stands for it is there', () => {
    const table = new UnihashTable(1024 * 1024 * 8);
    const [one, two, unihash] = ['1', '2', 'a'].map((digit) => digit.repeat(64)) as [string, string, string];
    assert.equal(table.hasUnihash(words(unihash)), false);
    table.set('m', words(one), words(unihash));
    table.set('m', words(two), words(unihash));
    assert.equal(table.hasUnihash(words(unihash)), true);
    assert.equal(table.hasUnihash(words(one)), false);
    table.delete('m', words(two));
    assert.equal(table.hasUnihash(words(unihash)), true);
  });

  test('stays below its bytes and keeps what is asked for', () => {
    const most = 6 * 1024 * 1024;
    const table = new UnihashTable(most);
    const favourite = 'f'.repeat(64);
    table.set('m', words(favourite), words(favourite));
    let n = 0;
    while (table.evicted < 50_000) {
      const taskhash = (n++).toString(16).padStart(64, '0');
      assert.ok(table.set('m', words(taskhash), words(taskhash)));
      assert.ok(table.bytes <= most, `${table.bytes} bytes with ${table.size} rows`);
      if (n % 1000 === 0) assert.equal(lookUp(table, 'm', favourite), favourite, `after ${n} others`);
    }
    assert.ok(table.size > most / 100, `${table.size} rows`);
    const latest = (n - 1).toString(16).padStart(64, '0');
    assert.equal(lookUp(table, 'm', latest), latest);
  });

  test('makes room for what it is to expect, within its bytes, and holds more than that', () => {
    for (const expected of [0, 10, 30_000, 1e9]) {
      const most = 8 * 1024 * 1024;
      const table = new UnihashTable(most);
      table.expect(expected);
      assert.ok(table.bytes <= most, `${table.bytes} bytes for ${expected}`);
      const key = (n: number) => words(n.toString(16).padStart(64, '0'));
      for (let n = 0; n < 60_000; n++) assert.ok(table.set('m', key(n), key(n)));
      table.expect(100);
      assert.equal(table.evicted, 0);
      for (let n = 0; n < 60_000; n += 11) assert.ok(table.findTask(0, key(n)) >= 0 && table.hasUnihash(key(n)));
    }
  });

  test('keeps nothing in no bytes', () => {
    const table = new UnihashTable(0);
    assert.equal(table.set('m', words('0'.repeat(64)), words('1'.repeat(64))), false);
    assert.equal(table.size, 0);
  });
});

test('keys that nearly all differ in their highest bits do not meet in one slot', () => {
  const secret = Int32Array.from({ length: 17 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  const hasher = createHasher(secret);
  const keys: Int32Array[] = [];
  let compared = 0;
  const index = new HashIndex({
    matches: (row, _tag, wanted) => {
      compared++;
      return keys[row]!.every((word, i) => word === wanted[i]);
    },
    hashOf: (row) => hasher(keys[row]!, 0, 0),
  });
  for (let n = 0; n < 4096; n++) {
    const key = new Int32Array(HASH_WORDS);
    for (let i = 0; i < HASH_WORDS; i++) key[i] = ((n >> i) & 1) << 31;
    key[0]! |= n >> 8;
    keys.push(key);
    index.add(hasher(key, 0, 0), n);
  }
  for (const key of keys) assert.ok(index.find(hasher(key, 0, 0), 0, key, 0) >= 0);
  assert.ok(compared < 3 * keys.length, `${compared} rows looked at for ${keys.length} keys`);
});
