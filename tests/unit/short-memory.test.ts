import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShortMemory } from '../../lib/hashserv/upstream/short-memory.ts';

const LONG_MS = 2 ** 30;
const task = (n: number, length = 64) => `m ${String(n).padStart(length, '0')}`;

test('what the upstream said is bounded in bytes, the oldest forgotten first', () => {
  const memory = createShortMemory<string>(LONG_MS, 100_000);
  for (let n = 0; n < 1000; n++) memory.set(task(n), 'u');
  const kept = Array.from({ length: 1000 }, (_, n) => n).filter((n) => memory.get(task(n)) !== undefined);
  assert.ok(kept.length > 300 && kept.length < 400, `${kept.length} of 64 characters`);
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => 1000 - kept.length + i),
  );
  for (let n = 0; n < 1000; n++) memory.set(task(n, 500), 'u');
  const long = Array.from({ length: 1000 }, (_, n) => n).filter((n) => memory.get(task(n, 500)) !== undefined);
  assert.ok(long.length > 120 && long.length < 150, `${long.length} of 500 characters`);
});

test('what is set again, deleted or cleared is counted once or not at all', () => {
  const memory = createShortMemory<string>(LONG_MS, 1000);
  for (let n = 0; n < 1000; n++) memory.set(task(1), 'u');
  memory.set(task(2), 'u');
  assert.deepEqual([memory.get(task(1)), memory.get(task(2))], ['u', 'u']);
  for (let n = 0; n < 1000; n++) {
    memory.set(task(3), 'u');
    memory.delete(task(3));
    memory.delete(task(3));
  }
  assert.equal(memory.get(task(1)), 'u');
  memory.clear();
  for (let n = 0; n < 3; n++) memory.set(task(n), 'u');
  assert.equal(memory.get(task(0)), 'u');
});

test('nothing is remembered for no time', () => {
  const memory = createShortMemory<string>(0);
  memory.set(task(1), 'u');
  assert.equal(memory.get(task(1)), undefined);
});
