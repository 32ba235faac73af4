import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { Output } from '../../lib/asyncrpc/connection/output.ts';
import { DEFAULT_LIMITS, KIB } from '../../lib/asyncrpc/limits.ts';
import { Turns } from '../../lib/asyncrpc/shares/turns.ts';

/** An output on a stream that takes nothing until it is told to. */
function slow(outputPauseBytes: number, maySend = true) {
  let taken = () => {};
  const written: string[] = [];
  const stream = new Duplex({
    writableHighWaterMark: 16 * KIB,
    decodeStrings: false,
    read() {},
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      taken = done;
    },
  });
  let relieved = 0;
  const output = new Output(stream, { ...DEFAULT_LIMITS, outputPauseBytes }, new Turns(), {
    maySend,
    onRelief: () => void relieved++,
    onChoke() {},
    onStuck: () => assert.fail('stuck'),
  });
  return { output, written, take: () => taken(), relieved: () => relieved };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a pause below what the stream holds does not stick: where nothing tells of relief, nothing is paused', () => {
  const { output } = slow(1 * KIB);
  output.write('x'.repeat(2 * KIB));
  assert.equal(output.choked, false);
});

for (const [about, pause, maySend] of [
  ['the pause', 20 * KIB, true],
  ['the room there is', 1024 * KIB, false],
] as const) {
  test(`past ${about} a connection is choked until its client has caught up`, async () => {
    const { output, take, relieved } = slow(pause, maySend);
    output.write('x'.repeat(30 * KIB));
    assert.equal(output.choked, true);
    take();
    await turn();
    assert.deepEqual([output.choked, relieved()], [false, 1]);
  });
}

test('what is gathered is written together, and counts as unsent before it is', () => {
  const { output, written } = slow(1024 * KIB);
  output.gather();
  for (const text of ['a\n', 'b\n', 'c\n']) output.write(text);
  assert.deepEqual([written, output.unsentBytes], [[], 6]);
  output.flush();
  assert.deepEqual(written, ['a\nb\nc\n']);
});
