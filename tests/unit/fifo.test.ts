import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../../lib/asyncrpc/fifo.ts';

/** What one did with a queue: a step for it, and the same one for a plain array. */
type Step = (queue: Fifo<number>, model: number[], fresh: () => number) => void;

const few = fc.integer({ min: 0, max: 6 });
/** Past the length at which the queue gives back the room of what was taken. */
const many = fc.integer({ min: 0, max: 200 });

const push: Step = (queue, model, fresh) => {
  const item = fresh();
  queue.push(item);
  model.push(item);
};

const pushAll = (count: number): Step => {
  return (queue, model, fresh) => {
    const items = Array.from({ length: count }, fresh);
    model.push(...items);
    queue.pushAll(items);
  };
};

const take: Step = (queue, model) => assert.equal(queue.take(), model.shift());

const takeMany = (count: number): Step => {
  return (queue, model) => assert.deepEqual(queue.takeMany(count), model.splice(0, count));
};

const countBefore = (index: number, most: number): Step => {
  return (queue, model) => {
    const found = model.slice(0, most).indexOf(model[index] ?? -1);
    const expected = found < 0 ? Math.min(most, model.length) : found;
    assert.equal(queue.countBefore(model[index] ?? -1, most), expected);
  };
};

const remove = (index: number): Step => {
  return (queue, model) => {
    queue.remove(model[index] ?? -1);
    model.splice(index, 1);
  };
};

const keep = (divisor: number, from: number): Step => {
  return (queue, model) => {
    queue.keep((item) => item % divisor !== 0, from);
    const kept = model.filter((item, i) => i < from || item % divisor !== 0);
    model.splice(0, model.length, ...kept);
  };
};

const clear: Step = (queue, model) => {
  queue.clear();
  model.length = 0;
};

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(push) },
    { weight: 4, arbitrary: fc.oneof(few, many).map(pushAll) },
    { weight: 8, arbitrary: fc.constant(take) },
    { weight: 4, arbitrary: fc.oneof(few, many).map(takeMany) },
    { weight: 2, arbitrary: fc.tuple(many, many).map(([index, most]) => countBefore(index, most)) },
    { weight: 1, arbitrary: fc.oneof(few, many).map(remove) },
    { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 2, max: 5 }), many).map(([by, from]) => keep(by, from)) },
    { weight: 1, arbitrary: fc.constant(clear) },
  ),
  { maxLength: 200 },
);

describe('Fifo', () => {
  test('gives out what went in, in that order, however pushes and takes follow each other', () => {
    fc.assert(
      fc.property(steps, (done) => {
        const queue = new Fifo<number>();
        const model: number[] = [];
        let next = 0;
        for (const step of done) {
          step(queue, model, () => next++);
          assert.equal(queue.length, model.length);
          assert.equal(queue.isEmpty, model.length === 0);
          for (const index of [0, 1, 70, model.length]) assert.equal(queue.at(index), model[index]);
          assert.deepEqual(queue.oldest(3), model.slice(0, 3));
        }
        assert.deepEqual(queue.takeMany(Number.POSITIVE_INFINITY), model);
      }),
      { numRuns: 500 },
    );
  });

  test('what was taken all at once is its taker’s: a later push does not change it', () => {
    const queue = new Fifo<string>();
    queue.pushAll(['a', 'b']);
    const taken = queue.takeMany(2);
    queue.push('c');
    assert.deepEqual(taken, ['a', 'b']);
  });
});
