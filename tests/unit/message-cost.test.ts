import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS, MIB } from '../../lib/asyncrpc/limits.ts';
import { measureJson } from '../../lib/asyncrpc/wire/message-cost.ts';
import { type Call, MessageReader } from '../../lib/asyncrpc/wire/message-reader.ts';
import { CHUNK_LENGTH, encodeJson, encodePieces, isLong, type Json } from '../../lib/asyncrpc/wire/messages.ts';
import { createReplyReader } from '../../lib/asyncrpc/wire/reply-reader.ts';
import { InvokeError, ProtocolError } from '../../lib/errors.ts';

const { maxJsonDepth, maxJsonKeys } = DEFAULT_LIMITS;
const measure = (text: string) => measureJson(text, maxJsonDepth, maxJsonKeys);
const listOf = (element: string, bytes: number) => `[${new Array(Math.floor(bytes / element.length)).join(element)}1]`;

describe('a message is measured by what it will cost as objects', () => {
  for (const element of ['{},', '[],', '"",', '"a",', '1.5,', '1e9,[],', '{"a":1},']) {
    test(`a megabyte of ${element} would cost a multiple and is refused`, () => {
      assert.throws(() => measureJson(listOf(element, MIB), 32, 1e9), /more than 4 times its length in memory/);
    });
  }

  test('what is as large as its text is not', () => {
    for (const text of [
      JSON.stringify('x'.repeat(MIB)),
      JSON.stringify('\\"'.repeat(MIB)),
      JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `${i}`.padStart(64, '0'))),
      JSON.stringify(Array.from({ length: 5000 }, () => ['method', 'taskhash'.repeat(8), 'unihash'.repeat(8)])),
      listOf('null, ', MIB),
    ])
      measure(text);
  });

  test('short ones may hold what they like', () => {
    for (const element of ['{},', '[],', '"",']) measure(listOf(element, 20_000));
  });

  test('brackets, commas and quotes within a text cost nothing', () => {
    measure(JSON.stringify('{},[],"",\\"{},'.repeat(200_000)));
    measure(`"${'\\\\'.repeat(200_000)}"`);
  });

  test('a text ends where JSON says it does, whatever quotes and backslashes it holds', () => {
    const odd = fc.string({ unit: fc.constantFrom('"', '\\', ':', 'x'), maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.tuple(odd, odd), { minLength: 1, maxLength: 8 }), (pairs) => {
        // A colon within a text would count as a key, and one behind it would not, were its end elsewhere.
        const members = pairs.map(([key, value], i) => `${JSON.stringify(`${i}${key}`)}:${JSON.stringify(value)}`);
        const text = `{${members.join(',')}}`.padEnd(4 * pairs.length + 65);
        measureJson(text, 32, pairs.length);
        assert.throws(() => measureJson(text, 32, pairs.length - 1), /keys/);
      }),
    );
  });

  test('the replies of a server likewise', () => {
    const read = createReplyReader(16 * MIB, DEFAULT_LIMITS);
    assert.throws(() => read(listOf('{},', MIB)), ProtocolError);
    assert.throws(() => read('['.repeat(100)), /nested deeper/);
    assert.throws(() => createReplyReader(16 * MIB)(listOf('{},', MIB)), ProtocolError);
    assert.deepEqual(read('[[1]]'), [[1]]);
  });
});

describe('a long message whose command comes first', () => {
  const session = {
    maxMessageBytes: DEFAULT_LIMITS.maxMessageBytes,
    refusalByName: (name: string) => (name === 'closed' ? new InvokeError('not for you') : null),
  };
  const read = (text: string) => new MessageReader(DEFAULT_LIMITS).push(text, session);
  const refusalIn = (call: Call | null) => (call && call.name === null ? call.refusal : null);
  // Were it parsed, it would be found to be no JSON.
  const unparsable = `${'x'.repeat(10_000)}`;

  test('is refused by that name alone where its sender may not send it', () => {
    assert.match(String(refusalIn(read(` { "closed" : ${unparsable}`))), /not for you/);
    assert.throws(() => read(`{"open": ${unparsable}`), /malformed JSON/);
    assert.throws(() => read(`{"closed\\u0000": ${unparsable}`), /malformed JSON/);
  });

  test('is read like any other where the client has the right', () => {
    const call = read(JSON.stringify({ open: unparsable }));
    assert.deepEqual(call, { name: 'open', argument: unparsable });
  });

  test('a message in chunks that was refused so leaves nothing behind', () => {
    const reader = new MessageReader(DEFAULT_LIMITS);
    for (const line of ['{"chunk-stream": null}', '{"closed": ', unparsable])
      assert.equal(reader.push(line, session), null);
    assert.match(String(refusalIn(reader.push('', session))), /not for you/);
    assert.equal(reader.inChunks, false);
    assert.deepEqual(reader.push('{"open": 1}', session), { name: 'open', argument: 1 });
  });
});

describe('a long value in pieces', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.nat(80_000).map((n) => 'é😀"\n'.repeat(n / 4)),
    fc.nat(80_000).map((n) => 'x'.repeat(n)),
  );
  const values = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      texts,
      fc.constantFrom<Json>(null, true, 1.5, -3),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 6 }),
    ),
  })).value;

  test('is the text it is in one, no piece of it long', () => {
    fc.assert(
      fc.property(values, (value) => {
        const pieces = [...encodePieces(value)];
        assert.equal(pieces.join(''), encodeJson(value));
        for (const piece of pieces) assert.ok(piece.length < 16 * CHUNK_LENGTH);
        if (isLong(value)) assert.ok(pieces.join('').length >= CHUNK_LENGTH, 'what is chunked is long enough for it');
      }),
      { numRuns: 200 },
    );
  });

  test('a surrogate pair at the cut, and half of one, are what they are elsewhere', () => {
    for (const text of ['x', '', 'xx'].map((before) => before + '😀'.repeat(40_000) + '\ud800')) {
      assert.equal([...encodePieces({ text })].join(''), encodeJson({ text }));
      assert.deepEqual(JSON.parse([...encodePieces({ text })].join('')), { text });
    }
  });
});
