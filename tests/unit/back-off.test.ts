import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff, jittered } from '../../lib/asyncrpc/back-off.ts';

test('pauses double up to the longest, and begin again after a success', () => {
  const pauses = new BackOff(100, 500);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => pauses.next()),
    [100, 200, 400, 500, 500],
  );
  pauses.reset();
  assert.equal(pauses.next(), 100);
});

test('a longest for one pause: rarer where only people can fix it, and back again', () => {
  const pauses = new BackOff(100, 300);
  assert.deepEqual([pauses.next(), pauses.next(1000), pauses.next(1000), pauses.next(1000)], [100, 200, 400, 800]);
  assert.equal(pauses.next(), 300);
});

test('a pause is varied by up to a half, downwards', () => {
  for (let i = 0; i < 1000; i++) {
    const pauseMs = jittered(100);
    assert.ok(pauseMs >= 50 && pauseMs <= 100, String(pauseMs));
  }
});
