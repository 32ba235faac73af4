import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { isKeyLine, isStreamLine } from '../../lib/asyncrpc/wire/stream-line.ts';
import { fakeUpstream, unihashOf } from './fake-upstream.ts';
import { refusal } from './helpers.ts';
import { site, stream } from './upstream-helpers.ts';

/** White space and control characters that one server or another drops, parts words at or ends lines at. */
const ODD = ['\n', '\r', '\t', '\0', '\u001c', '\u0085', '\u00a0', '\u2028', '\u3000', '\ufeff', '\ud800', '\u200b'];

describe('nothing a client says is more than a look-up on the connection that all share', () => {
  test('END in the plain form is refused; the hits of others stay hits', async (t) => {
    const fake = await fakeUpstream(t);
    const server = await site(t, fake.address, { 'upstream-timeout': 60, prserv: false });
    const plain = server.dial();
    const ask = async (method: string, lines: readonly string[]) => {
      plain.send(`${JSON.stringify({ id: 1, method, params: { lines } })}\n`);
      const { result, error } = (await plain.message()) as { result: Json; error: Json };
      return error === null ? result : { 'invoke-error': error };
    };
    const other = server.hash();
    for (const end of ['END', 'END ', 'END\t', 'END\r', 'END\u3000', 'END\u0085', 'END \u2003']) {
      const [answer, hits] = await Promise.all([
        ask('exists-stream', ['b1', end, 'a1']),
        stream(other, 'exists-stream', ['a1', 'a2', 'b3']),
      ]);
      assert.match(refusal(answer), /lines must be a list of texts without newlines, none of them END/);
      assert.deepEqual(hits, ['true', 'true', 'false']);
    }
    assert.deepEqual(await ask('exists-stream', ['a1', 'b1', 'ENDED']), ['true', 'false', 'false']);
    assert.equal(fake.connections, 1, 'the stream was never ended');
  });

  test('a key with white space of another kind in it stays here and is a miss, in its own place', async (t) => {
    const fake = await fakeUpstream(t);
    const server = await site(t, fake.address, { 'upstream-timeout': 60, prserv: false });
    const client = server.hash();
    const odd = ODD.filter((each) => each > '\u007f' && each.isWellFormed());
    const keys = odd.flatMap((each, i) => [`a${each}${i}`, `a${i}`]);
    const tasks = keys.map((key) => `m ${key}`);
    const isOdd = (text: string) => odd.some((each) => text.includes(each));
    assert.deepEqual(
      await stream(client, 'get-stream', tasks),
      tasks.map((task) => (isOdd(task) ? '' : unihashOf(task))),
    );
    assert.deepEqual(
      await stream(client, 'exists-stream', keys),
      keys.map((key) => String(!isOdd(key))),
    );
    // Entering a stream is noted as well, with its argument.
    const noted = [...fake.asked.get('get-stream')!, ...fake.asked.get('exists-stream')!];
    const sent = noted.filter((line) => line !== 'null');
    assert.equal(sent.length, 2 * odd.length);
    assert.deepEqual(sent.filter(isOdd), []);
  });
});

test('an answer that cannot be believed is judged once, however many wait for it, and its connection goes on', async (t) => {
  const fake = await fakeUpstream(t, 'sending 40-digit unihashes and malformed PR values');
  const server = await site(t, fake.address, { 'upstream-timeout': 60, prserv: false });
  let open = () => {};
  fake.gate = new Promise((resolve) => {
    open = resolve;
  });
  const figures = server.hash();
  const upstream = async () => {
    const stats = (await figures.ask('get-stats', null)) as { upstream: { asked: number; wrong: number } };
    return stats.upstream;
  };
  const answers = [1, 2, 3].map(() => stream(server.hash(), 'get-stream', ['m a1']));
  while ((await upstream()).asked < 3);
  open();
  assert.deepEqual(await Promise.all(answers), [[''], [''], ['']]);
  assert.equal((await upstream()).wrong, 1);
  assert.equal(fake.connections, 1);
});

describe('a line of a stream', () => {
  const odd = fc.constantFrom(...ODD, ' ', 'END', 'a');

  test('that goes upstream is keys and blanks only, whatever it is made of', () => {
    const text = fc.oneof(
      fc.array(odd, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    fc.assert(
      fc.property(text, (line) => {
        const words = line.split(' ');
        // As JavaScript and Python part words, and as they drop white space.
        const plain = words.every((word) => /^[^\s\p{C}\p{Z}]+$/u.test(word)) && line !== 'END';
        assert.equal(isKeyLine(line), plain);
        if (isKeyLine(line)) assert(isStreamLine(line));
      }),
      { numRuns: 2000 },
    );
    assert(isKeyLine(`oe.sstatesig.OEOuthashBasic ${'a'.repeat(256)}`));
    assert(isKeyLine('méthode 語'));
    assert(!isKeyLine('a'.repeat(2000)));
  });

  test('is none when what is left of it without white space at the end is END', () => {
    const tail = fc.array(fc.constantFrom(' ', '\t', '\r', '\v', '\f', '\u0085', '\u00a0', '\u2003', '\u3000'));
    fc.assert(fc.property(tail, (blanks) => assert(!isStreamLine(`END${blanks.join('')}`))));
    for (const line of ['ENDE', 'END x', ' END', 'end', '']) assert(isStreamLine(line), line);
    assert(!isStreamLine('a\nb'));
  });
});
