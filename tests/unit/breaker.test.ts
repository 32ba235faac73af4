import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBreaker, LastingRefusal } from '../../lib/asyncrpc/upstream/breaker.ts';
import { SILENT } from '../../lib/log.ts';

/** A breaker whose probes never end, and how often it opened. */
function breaker(t: { after(fn: () => void): void }) {
  let opened = 0;
  const made = createBreaker({
    name: 'unix://up',
    service: 'hash equivalence',
    log: SILENT,
    probe: () => new Promise(() => {}),
    onOpen: () => opened++,
    onDead() {},
  });
  t.after(() => made.close());
  const fail = (times: number) => {
    for (let n = 0; n < times; n++) made.failed(new Error('no answer'));
  };
  return { made, fail, opened: () => opened };
}

describe('the breaker', () => {
  test('opens at the third failure in a row, once, and tells those who wait', (t) => {
    const { made, fail, opened } = breaker(t);
    fail(2);
    assert.equal(made.isOpen, false);
    assert.equal(opened(), 0);
    fail(1);
    assert.equal(made.isOpen, true);
    fail(5);
    assert.equal(opened(), 1);
  });

  test('counts failures in a row only: an answer in between begins the count again', (t) => {
    const { made, fail } = breaker(t);
    for (let round = 0; round < 5; round++) {
      fail(2);
      made.succeeded();
    }
    assert.equal(made.isOpen, false);
    fail(3);
    assert.equal(made.isOpen, true);
  });

  test('opens at once on what only people can put right', (t) => {
    const { made, opened } = breaker(t);
    made.failed(new LastingRefusal('the login is refused'));
    assert.equal(made.isOpen, true);
    assert.equal(opened(), 1);
  });
});
