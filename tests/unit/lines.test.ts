import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LineSplitter } from '../../lib/asyncrpc/wire/lines.ts';

/** A generator of numbers below n that gives the same ones for the same seed. */
export function seeded(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
}

/** The lines of an input given in these pieces, and what ended it. */
function split(pieces: readonly Buffer[], maxLineBytes: number): { lines: string[]; failure: string | null } {
  const splitter = new LineSplitter(maxLineBytes);
  const lines = pieces.flatMap((piece) => splitter.push(piece));
  return { lines, failure: splitter.failure?.message ?? null };
}

/** The same where whole lines are taken as they came, and cut into lines afterwards. */
function splitLater(pieces: readonly Buffer[], maxLineBytes: number): { lines: string[]; failure: string | null } {
  const splitter = new LineSplitter(maxLineBytes);
  const lines: string[] = [];
  for (const piece of pieces) {
    const whole = splitter.pushWhole(piece);
    if (whole.length === 0) continue;
    assert.equal(whole.at(-1), 0x0a);
    const found = splitter.cut(whole);
    lines.push(...found.lines);
    if (!found.isGood) break;
  }
  return { lines, failure: splitter.failure?.message ?? null };
}

function cut(input: Buffer, random: (n: number) => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + random(random(2) === 0 ? 3 : 40);
    pieces.push(input.subarray(at, end));
    at = end;
  }
  return pieces;
}

const ALPHABET = [
  'a',
  '\n',
  '\n',
  ' ',
  '\r',
  '\t',
  'é',
  '\u3000',
  '語',
  '😀',
  '{',
  '\u0000',
  '\u001f',
  '\ufeff',
  '\u2028',
];
const BAD = [Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('x'.repeat(50))];

function randomInput(random: (n: number) => number, withBad: boolean): Buffer {
  const parts = Array.from({ length: random(120) }, () =>
    withBad && random(60) === 0 ? BAD[random(BAD.length)]! : Buffer.from(ALPHABET[random(ALPHABET.length)]!),
  );
  return Buffer.concat(parts);
}

describe('LineSplitter', () => {
  for (const [about, withBad, limit] of [
    ['good input', false, 1000],
    ['over-long lines and invalid UTF-8', true, 40],
  ] as const) {
    test(`any split of ${about} gives the same lines and the same end`, () => {
      for (let seed = 1; seed <= 1500; seed++) {
        const random = seeded(seed);
        const input = randomInput(random, withBad);
        const whole = split([input], limit);
        const bytes = split(
          Array.from(input, (_, i) => input.subarray(i, i + 1)),
          limit,
        );
        assert.deepEqual(bytes, whole, `seed ${seed}, one byte at a time`);
        assert.deepEqual(split(cut(input, random), limit), whole, `seed ${seed}`);
        assert.deepEqual(splitLater([input], limit), whole, `seed ${seed}, cut afterwards`);
        assert.deepEqual(splitLater(cut(input, random), limit), whole, `seed ${seed}, in pieces, cut afterwards`);
      }
    });
  }

  test('white space at the end of a line does not count, anywhere else it does', () => {
    const { lines } = split([Buffer.from(' a b \r\nc\t\n\n \n\td')], 100);
    assert.deepEqual(lines, [' a b', 'c', '', '']);
  });

  test('a line of exactly the limit is whole, one byte more is not, counted in bytes', () => {
    assert.deepEqual(split([Buffer.from('éé\nnext\n')], 4), { lines: ['éé', 'next'], failure: null });
    const tooLong = { lines: ['ok'], failure: 'a line is longer than 4 bytes' };
    assert.deepEqual(split([Buffer.from('ok\nééa\nnext\n')], 4), tooLong);
    assert.deepEqual(split([Buffer.from('ok\nééa')], 4), tooLong);
  });

  test('after a failure nothing more is returned, and nothing is held', () => {
    const splitter = new LineSplitter(4);
    assert.deepEqual(splitter.push(Buffer.from('a\n12345')), ['a']);
    assert.ok(splitter.failure);
    assert.deepEqual(splitter.push(Buffer.from('\nb\n')), []);
    assert.equal(splitter.partialBytes, 0);
  });

  test('the unfinished line is counted in bytes', () => {
    const splitter = new LineSplitter(100);
    splitter.push(Buffer.from('a\nbé'));
    assert.equal(splitter.partialBytes, 3);
    splitter.push(Buffer.from('\n'));
    assert.equal(splitter.partialBytes, 0);
  });
});
