import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  CHUNK_LENGTH,
  encodeJson,
  frameMessage,
  frameStreamed,
  type Json,
  parseMessage,
} from '../../lib/asyncrpc/wire/messages.ts';
import { ProtocolError } from '../../lib/errors.ts';

const START = '{"chunk-stream": null}\n';

/** A framed message put together as BitBake does: white space at the end of each line is dropped. */
function unframe(framed: string): string {
  if (!framed.startsWith(START)) return framed.trimEnd();
  const lines = framed.slice(START.length).split('\n');
  assert.deepEqual(lines.splice(-2), ['', '']);
  for (const line of lines) {
    assert.ok(line.length > 0 && line.length <= CHUNK_LENGTH);
    assert.ok(!line.endsWith(' '), 'a chunk ends in a blank');
  }
  return lines.map((line) => line.trimEnd()).join('');
}

async function collect(pieces: readonly string[], chunked: boolean): Promise<string> {
  async function* give() {
    yield* pieces;
  }
  let text = '';
  for await (const part of frameStreamed(give(), chunked)) text += part;
  return text;
}

describe('JSON as Python writes it', () => {
  test('is ASCII without control characters, and reads as what it was, whatever texts are in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '/', '[', ']', '~', '\x7f', '\n', '\u2028') }),
    );
    fc.assert(
      fc.property(fc.array(fc.option(text)), (values) => {
        const json = encodeJson({ values, [values[0] ?? '']: 1 });
        assert.match(json, /^[\x20-\x7e]*$/);
        assert.deepEqual(JSON.parse(json), { values, [values[0] ?? '']: 1 });
      }),
    );
  });

  const cases: readonly (readonly [Json, string])[] = [
    [null, 'null'],
    [true, 'true'],
    [1.5, '1.5'],
    [[], '[]'],
    [{}, '{}'],
    [[1, 'a', null], '[1, "a", null]'],
    [{ a: { b: [1, 2] }, c: 'd' }, '{"a": {"b": [1, 2]}, "c": "d"}'],
    ['é语😀', '"\\u00e9\\u8bed\\ud83d\\ude00"'],
    ['"\\\n\t\u0000\u001f', '"\\"\\\\\\n\\t\\u0000\\u001f"'],
    ['\u007f', '"\\u007f"'],
    ['\ud800', '"\\ud800"'],
    [{ é: 1 }, '{"\\u00e9": 1}'],
  ];
  for (const [value, text] of cases) {
    test(`${JSON.stringify(value)} is ${text}`, () => {
      assert.equal(encodeJson(value), text);
      assert.deepEqual(JSON.parse(text), value);
    });
  }

  test('keys without a value are left out', () => {
    assert.equal(encodeJson({ a: undefined, b: 1 } as unknown as Json), '{"b": 1}');
  });
});

describe('chunks', () => {
  test('begin at 32767 characters, not before', () => {
    const text = 'x'.repeat(CHUNK_LENGTH - 1);
    assert.equal(frameMessage(text, true), `${text}\n`);
    assert.equal(frameMessage(`${text}x`, true), `${START}${text}x\n\n`);
    assert.equal(frameMessage(`${text}xy`, true), `${START}${text}x\ny\n\n`);
    assert.equal(frameMessage('x'.repeat(100_000), false), `${'x'.repeat(100_000)}\n`);
  });

  for (const blanks of [1, 2, 50, CHUNK_LENGTH - 1]) {
    test(`never end in a blank, also where ${blanks} of them stand at the cut`, () => {
      for (const shift of [0, 1, blanks - 1, blanks]) {
        const head = 'x'.repeat(Math.max(1, CHUNK_LENGTH - shift));
        const text = `${head}${' '.repeat(blanks)}${'y'.repeat(CHUNK_LENGTH)} z`;
        assert.equal(unframe(frameMessage(text, true)), text);
      }
    });
  }

  test('of a reply in pieces come to the same text, however it is cut', async () => {
    const text = encodeJson(Array.from({ length: 20_000 }, (_, i) => [i, 'é']));
    for (const size of [1000, 32767, 40_000, 1_000_000]) {
      const pieces: string[] = [];
      for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
      assert.equal(unframe(await collect(pieces, true)), text);
      assert.equal(await collect(pieces, false), `${text}\n`);
    }
  });

  test('of a short reply in pieces are one', async () => {
    assert.equal(await collect(['[1,', ' 2]'], true), `${START}[1, 2]\n\n`);
  });
});

describe('what is read', () => {
  const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
  const keys = (n: number) => `{${Array.from({ length: n }, (_, i) => `"k${i}": ":[{"`).join(',')}}`;

  test('nested to the limit, and no deeper', () => {
    assert.deepEqual(parseMessage(deep(3), 3, 10), [[[]]]);
    assert.throws(() => parseMessage(deep(4), 3, 10), /nested deeper than 3/);
    assert.throws(() => parseMessage('{"a":'.repeat(100_000), 32, 10_000), ProtocolError);
    assert.throws(() => parseMessage('['.repeat(5_000_000), 32, 10_000), /nested deeper than 32/);
  });

  test('brackets side by side do not count as depth, nor do those in texts', () => {
    parseMessage(`[${Array.from({ length: 100 }, () => '[]').join(',')}]`, 2, 10);
    parseMessage(JSON.stringify(['[[[[[[[[[[', '\\"[[[[[[[[', '{{{{{{{{{{{{']), 2, 10);
  });

  test('up to the limit of keys, and no more', () => {
    assert.equal(Object.keys(parseMessage(keys(10), 3, 10) as object).length, 10);
    assert.throws(() => parseMessage(keys(11), 3, 10), /more than 10 keys/);
  });

  for (const bad of ['', '{', '{"a":}', "{'a': 1}", '[1,]', 'NaN', 'undefined', '\u0000', '{"a": 1} x', '\ufeff{}'])
    test(`${JSON.stringify(bad)} is malformed`, () =>
      assert.throws(() => parseMessage(bad, 32, 100), /malformed JSON/));

  test('__proto__ is a key like any other', () => {
    const value = parseMessage('{"__proto__": {"polluted": 1}}', 32, 100) as object;
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal((value as { polluted?: number }).polluted, undefined);
  });
});
