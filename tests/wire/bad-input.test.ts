import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, MEMORY, METHOD, refusal, serve, TCP, UNIX } from './helpers.ts';

const HASHSERV = 'OEHASHEQUIV 1.1';
const PRSERV = 'PRSERVICE 1.0';
const report = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };
const pr = { version: 'pkg-1-r0', pkgarch: 'core2', checksum: 'c1' };

/** Requests that are refused while the connection goes on: the line, and what the refusal must name. */
const REFUSED: readonly (readonly [about: string, protocol: string, line: string, names: RegExp])[] = [
  ['an unknown command', HASHSERV, '{"nonsense": {}}', /Unknown command "nonsense"/],
  ['an unknown PR command', PRSERV, '{"nonsense": {}}', /Unknown command "nonsense"/],
  ['a command of the other service', PRSERV, '{"report": {}}', /Unknown command/],
  ['two commands in one object', HASHSERV, '{"ping": {}, "get-stats": null}', /one command, not 2/],
  ['no command', HASHSERV, '{}', /one command, not 0/],
  ['a list', HASHSERV, '["ping"]', /must be an object/],
  ['a number', HASHSERV, '5', /must be an object/],
  ['a text', HASHSERV, '"ping"', /must be an object/],
  ['null', HASHSERV, 'null', /must be an object/],
  ['__proto__ as a command', HASHSERV, '{"__proto__": {}}', /Unknown command "__proto__"/],
  ['constructor as a command', HASHSERV, '{"constructor": {}}', /Unknown command "constructor"/],
  ['toString as a PR command', PRSERV, '{"toString": {}}', /Unknown command "toString"/],
  ['an invoke-error as a command', HASHSERV, '{"invoke-error": {"message": "x"}}', /Unknown command/],
  ['a missing field', HASHSERV, '{"get": {"method": "m"}}', /taskhash is missing/],
  ['a missing argument', HASHSERV, '{"get": null}', /the argument must be object/],
  ['a list for the argument', HASHSERV, '{"get": [1]}', /the argument must be object/],
  ['fields under __proto__', HASHSERV, '{"get": {"__proto__": {"method": "m", "taskhash": "t"}}}', /is missing/],
  ['a number for a taskhash', HASHSERV, '{"get": {"method": "m", "taskhash": 5}}', /taskhash must be string/],
  ['null for a method', HASHSERV, '{"get": {"method": null, "taskhash": "t"}}', /method must be string/],
  ['an empty taskhash', HASHSERV, '{"get": {"method": "m", "taskhash": ""}}', /taskhash is empty/],
  ['a NUL in a taskhash', HASHSERV, '{"get": {"method": "m", "taskhash": "a\\u0000"}}', /taskhash must be a text/],
  ['a lone surrogate', HASHSERV, '{"get": {"method": "\\ud800", "taskhash": "t"}}', /method must be a text/],
  ['a newline in a hash', HASHSERV, '{"get": {"method": "a\\nb", "taskhash": "t"}}', /method must be a text/],
  ['a hash of 257 bytes', HASHSERV, `{"get": {"method": "m", "taskhash": "${'h'.repeat(257)}"}}`, /taskhash/],
  ['a text for a flag', HASHSERV, '{"get": {"method": "m", "taskhash": "t", "all": "yes"}}', /all must be boolean/],
  ['a bad unihash', HASHSERV, ask('report', { ...report, unihash: 'ABC' }), /^Invalid unihash$/],
  ['a number as unihash', HASHSERV, ask('report', { ...report, unihash: 5 }), /^Invalid unihash$/],
  ['a unihash in capitals', HASHSERV, ask('report-equiv', { ...report, unihash: 'A'.repeat(64) }), /^Invalid unihash$/],
  ['a number as PN', HASHSERV, ask('report', { ...report, PN: 5 }), /PN must be string or null/],
  ['a PN over 1 KiB', HASHSERV, ask('report', { ...report, PN: 'é'.repeat(513) }), /PN must be/],
  ['a NUL in a siginfo', HASHSERV, ask('report', { ...report, outhash_siginfo: 'a\0' }), /outhash_siginfo must be/],
  [
    'an unknown column in a where',
    HASHSERV,
    ask('remove', { where: { method: METHOD, tashkhash: 'x' } }),
    /"tashkhash"/,
  ],
  ['__proto__ in a where', HASHSERV, '{"remove": {"where": {"__proto__": "x"}}}', /unknown column "__proto__"/],
  ['constructor in a where', HASHSERV, ask('remove', { where: { constructor: 'x' } }), /unknown column "constructor"/],
  ['a number in a where', HASHSERV, ask('remove', { where: { method: 5 } }), /where\.method must be/],
  ['a list as a where', HASHSERV, ask('remove', { where: [] }), /where must be object/],
  ['an unknown column in a mark', HASHSERV, ask('gc-mark', { mark: 'm', where: { x: 'y' } }), /unknown column "x"/],
  ['an empty mark', HASHSERV, ask('gc-mark', { mark: '', where: {} }), /mark is empty/],
  ['a negative age', HASHSERV, ask('clean-unused', { max_age_seconds: -1 }), /max_age_seconds/],
  ['a text as an age', HASHSERV, ask('clean-unused', { max_age_seconds: '1' }), /max_age_seconds must be number/],
  ['a missing checksum', PRSERV, '{"get-pr": {"version": "v", "pkgarch": "a"}}', /checksum is missing/],
  ['an empty version', PRSERV, ask('get-pr', { ...pr, version: '' }), /version is empty/],
  ['null as pkgarch', PRSERV, ask('get-pr', { ...pr, pkgarch: null }), /pkgarch must be string/],
  ['a NUL in a version', PRSERV, ask('get-pr', { ...pr, version: 'a\0b' }), /version must be/],
  ['a text as history', PRSERV, ask('get-pr', { ...pr, history: 'no' }), /history must be boolean/],
  ...['abc', null, -5, '-5', '1.', '', 1.5, '5'.repeat(5000), ['1'], '1\n', true].map(
    (value) =>
      [
        `${JSON.stringify(value).slice(0, 20)} as a PR value`,
        PRSERV,
        ask('import-one', { ...pr, value }),
        /value must be a non-negative integer or dotted integers/,
      ] as const,
  ),
];

/** What cannot be read on from: the bytes, and what the last answer must say. */
const CLOSING: readonly (readonly [about: string, bytes: string | Buffer, says: RegExp])[] = [
  ['malformed JSON', '{"ping": \n', /malformed JSON/],
  ['an empty line', '\n', /malformed JSON/],
  ['Python’s NaN', '{"ping": NaN}\n', /malformed JSON/],
  ['a line over the limit', `${'x'.repeat(64 * 1024 + 1)}\n`, /longer than 65536 bytes/],
  ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]), /not valid UTF-8/],
  ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22, 0x0a]), /not valid UTF-8/],
  ['JSON nested 33 deep', `${'['.repeat(33)}${']'.repeat(33)}\n`.padEnd(80, ' ') + '\n', /nested deeper than 32/],
  ['malformed JSON in chunks', '{"chunk-stream": null}\n{"ping"\n: \n\n', /malformed JSON/],
  ['a message of 10,001 keys', `${chunked(JSON.stringify(manyKeys(10_001)))}`, /more than 10000 keys/],
  ['JSON 100,000 deep', chunked('{"get":['.repeat(100_000)), /nested deeper than 32/],
];

function ask(command: string, args: Json): string {
  return JSON.stringify({ [command]: args });
}

function chunked(text: string): string {
  return `{"chunk-stream": null}\n${text.match(/.{1,32767}/g)!.join('\n')}\n\n`;
}

function manyKeys(n: number): Json {
  return { ping: Object.fromEntries(Array.from({ length: n - 1 }, (_, i) => [`k${i}`, 1])) };
}

for (const transport of [MEMORY, TCP, UNIX]) {
  describe(`bad input over ${transport.name}`, () => {
    test('a refused request says what is wrong, and its connection and others go on', async (t) => {
      const server = await serve(t, { transport });
      const clients = new Map([HASHSERV, PRSERV].map((protocol) => [protocol, server.connect(protocol)]));
      const neighbour = server.connect(HASHSERV);
      for (const [about, protocol, line, names] of REFUSED) {
        const client = clients.get(protocol)!;
        client.send(`${line}\n`);
        const message = refusal(await client.message());
        assert.match(message, names, about);
        assert.ok(message.length < 400, `${about}: the refusal is short`);
        assert.deepEqual(await client.ask('ping', {}), { alive: true }, about);
      }
      assert.deepEqual(await neighbour.ask('get', { method: METHOD, taskhash: 't1' }), null);
      const clear = await clients.get(PRSERV)!.ask('export', { version: null, pkgarch: null, checksum: null });
      assert.deepEqual(clear, { metainfo: {}, datainfo: [] });
    });

    test('what cannot be read on from is told why and closed, after what came before it was answered', async (t) => {
      const server = await serve(t, { transport });
      const neighbour = server.connect();
      for (const [about, bytes, says] of CLOSING) {
        const client = server.connect();
        client.send(`{"ping": {}}\n${ask('report', report)}\n`);
        client.send(bytes);
        client.send('{"ping": {}}\n');
        assert.deepEqual(await client.message(), { alive: true }, about);
        assert.equal(((await client.message()) as { unihash: string }).unihash, hash(1), about);
        assert.match(refusal(await client.message()), says, about);
        assert.equal(await client.line(), null, about);
        assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
      }
    });
  });
}

describe('bad input in stream mode', () => {
  const cases: readonly (readonly [command: string, bad: string, before: string, answered: string])[] = [
    ['get-stream', 'one-word', `${METHOD} t1`, hash(1)],
    ['get-stream', 'three words here', `${METHOD} t1`, hash(1)],
    ['get-stream', '', `${METHOD} unknown`, ''],
    ['get-stream', `${METHOD} a\u0001b`, `${METHOD} t1`, hash(1)],
    ['get-stream', `${METHOD} ${'x'.repeat(257)}`, `${METHOD} t1`, hash(1)],
    ['exists-stream', 'two words', hash(1), 'true'],
    ['exists-stream', '', hash(2), 'false'],
    ['gc-mark-stream', 'not json', `{"mark": "m", "where": {"unihash": "${hash(1)}"}}`, '{"count": 1}'],
    [
      'gc-mark-stream',
      '{"mark": "m", "where": {"x": "y"}}',
      '{"mark": "m", "where": {"unihash": "no"}}',
      '{"count": 0}',
    ],
    ['gc-mark-stream', '{"mark": 5, "where": {}}', '{"mark": "m", "where": {"method": "no"}}', '{"count": 0}'],
    ['gc-mark-stream', '{"where": {}}', `{"mark": "m", "where": {"taskhash": "t1"}}`, '{"count": 1}'],
    ['gc-mark-stream', '[]', `{"mark": "m", "where": {"taskhash": null}}`, '{"count": 0}'],
  ];
  for (const [command, bad, before, answered] of cases) {
    test(`${command}: the line ${JSON.stringify(bad.slice(0, 40))} ends the connection, lines before it are answered`, async (t) => {
      const server = await serve(t);
      const client = server.connect();
      await client.ask('report', report);
      client.send(`{"${command}": null}\n${before}\n${bad}\n${before}\nEND\n`);
      assert.equal(await client.line(), '"ok"');
      assert.equal(await client.line(), answered);
      assert.match(refusal(await client.message()), /Bad line in the stream|unknown column/);
      assert.equal(await client.line(), null);
      assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
    });
  }

  test('an over-long line in a stream: the lines before it are answered', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    client.send(`{"exists-stream": null}\n${hash(1)}\n${'x'.repeat(70_000)}\n`);
    assert.equal(await client.line(), '"ok"');
    assert.equal(await client.line(), 'false');
    assert.match(refusal(await client.message()), /longer than/);
    assert.equal(await client.line(), null);
  });
});

describe('values that look like SQL', () => {
  const nasty = ["x'; DROP TABLE unihashes_v3; --", '%', '_', '"', "' OR '1'='1", '\\', '$1', '?1', '😀é', 'ﬀ'];

  test('are kept, found and deleted as they are', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    for (const [i, text] of nasty.entries()) {
      const stored = await client.ask('report', {
        ...report,
        method: text,
        taskhash: text,
        unihash: hash(i),
        PN: text,
      });
      assert.deepEqual(stored, { taskhash: text, method: text, unihash: hash(i) });
    }
    for (const [i, text] of nasty.entries()) {
      const row = (await client.ask('get', { method: text, taskhash: text, all: true })) as Record<string, Json>;
      assert.equal(row.unihash, hash(i));
      assert.equal(row.PN, text);
    }
    for (const text of nasty) assert.deepEqual(await client.ask('remove', { where: { taskhash: text } }), { count: 2 });
  });

  test('are PR keys like any other', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const text of nasty) {
      assert.deepEqual(await client.ask('get-pr', { version: text, pkgarch: text, checksum: text }), { value: '0' });
      assert.deepEqual(await client.ask('get-pr', { version: text, pkgarch: text, checksum: `${text}2` }), {
        value: '1',
      });
    }
  });
});
