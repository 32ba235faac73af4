import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Output } from '../../lib/asyncrpc/connection/output.ts';
import { DEFAULT_LIMITS, KIB } from '../../lib/asyncrpc/limits.ts';
import { Turns } from '../../lib/asyncrpc/shares/turns.ts';

/** How many times `done` grew in each turn of the event loop until it is `all`. */
async function byTurn(all: number, done: () => number): Promise<number[]> {
  const counts: number[] = [];
  for (let before = 0; before < all; before = done()) {
    await new Promise((resolve) => setImmediate(resolve));
    counts.push(done() - before);
  }
  return counts;
}

test('of those that wait for a turn of their own, one goes on in each turn of the event loop, first come, first served', async () => {
  const turns = new Turns();
  const order: number[] = [];
  for (let n = 0; n < 50; n++) void turns.next().then(() => order.push(n));
  const counts = await byTurn(50, () => order.length);
  assert.equal(Math.max(...counts), 1);
  assert.deepEqual(
    order,
    Array.from({ length: 50 }, (_, n) => n),
  );
});

test('what is busy and what is waited for both go on, however much there is of either', async () => {
  const turns = new Turns();
  let [worked, resolved] = [0, 0];
  const busy = { work: () => void (++worked < 1000 && turns.queue(busy, true)) };
  turns.queue(busy, true);
  const wait = (): Promise<void> => turns.next().then(() => (++resolved < 50 ? wait() : undefined));
  await wait();
  assert(worked > 25, `${worked} times`);
});

test('clients that catch up in the same moment are not all sent more in the same turn', async () => {
  const turns = new Turns();
  let written = 0;
  const streams = Array.from({ length: 40 }, () => {
    const stream = new PassThrough({ highWaterMark: 1 * KIB });
    const output = new Output(stream, { ...DEFAULT_LIMITS, outputPauseBytes: 1 * KIB }, turns, {
      maySend: true,
      onRelief() {},
      onChoke() {},
      onStuck: () => assert.fail('stuck'),
    });
    function* pieces() {
      for (let n = 0; n < 3; n++) {
        written++;
        yield 'x'.repeat(4 * KIB);
      }
    }
    void output.writeAll(pieces());
    return stream;
  });
  assert.equal(written, 40);
  written = 0;
  for (const stream of streams) stream.resume();
  // Each piece is the last of its turn: its client is behind again with it.
  const counts = await byTurn(80, () => written);
  assert(Math.max(...counts) <= 2, `${counts}`);
});

test('one that takes long leaves the others their part of each turn, and goes on itself', () => {
  const turns = new Turns();
  const log: string[] = [];
  const long = {
    work() {
      log.push('long');
      turns.spend(performance.now() - 1000);
      if (log.length < 40) turns.queue(long, true);
    },
  };
  turns.queue(long, true);
  turns.queue(long, true);
  for (let n = 0; n < 5; n++) turns.queue({ work: () => void log.push('short') }, false);
  return new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))).then(() => {
    const shorts = log.slice(0, 7).filter((each) => each === 'short').length;
    assert.equal(shorts, 5, log.join());
    assert(log.includes('long'));
  });
});
