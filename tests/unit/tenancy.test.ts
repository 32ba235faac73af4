import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createTenancy } from '../../lib/cli/auto/tenancy.ts';
import type { Build } from '../../lib/cli/process/control.ts';

const HOUR = 3_600_000;

/** A server without clients, whose clock the test turns. */
function tenancyOf(t: { after(fn: () => void): void }, first: Build) {
  const state = { now: 0, reasons: [] as string[], clientsIdleMs: Number.POSITIVE_INFINITY };
  const tenancy = createTenancy({
    first,
    clientsIdleMs: () => state.clientsIdleMs,
    onUnused: (reason) => state.reasons.push(reason),
    now: () => state.now,
  });
  t.after(() => tenancy.close());
  return { state, tenancy };
}

describe('a private server without clients', () => {
  test('is idle from the end of the last lease, not from before it', (t) => {
    const { state, tenancy } = tenancyOf(t, { idleMs: HOUR, parent: null });
    const lease = tenancy.lease(1, () => {})!;
    state.now = 2 * HOUR;
    assert.equal(lease.release(), 'kept');
    assert.deepEqual(state.reasons, []);
    state.now = 3 * HOUR;
    assert.equal(tenancy.lease(2, () => {})!.release(), 'kept');
  });

  test('is idle from when it was last handed to a build', (t) => {
    const { state, tenancy } = tenancyOf(t, { idleMs: HOUR, parent: process.pid });
    state.now = 2 * HOUR;
    assert.ok(tenancy.join({ idleMs: HOUR, parent: null }));
    assert.equal(tenancy.lease(process.pid, () => {})!.release(), 'kept');
  });

  test('ends with the lease of the process it was started for, once, and takes nobody in from then on', (t) => {
    const { state, tenancy } = tenancyOf(t, { idleMs: 0, parent: process.pid });
    const [mine, other] = [process.pid, 1].map((pid) => tenancy.lease(pid, () => {})!) as [
      { release(): string },
      { release(): string },
    ];
    assert.equal(mine.release(), 'kept');
    assert.deepEqual(state.reasons, []);
    assert.equal(other.release(), 'ends');
    assert.deepEqual(state.reasons, ['the end of the last build']);
    assert.equal(
      tenancy.lease(2, () => {}),
      null,
    );
    assert.equal(tenancy.join({ idleMs: HOUR, parent: null }), false);
    assert.equal(state.reasons.length, 1);
  });

  test('tells those who lease it when somebody asks for its end', (t) => {
    const { tenancy } = tenancyOf(t, { idleMs: 0, parent: null });
    const told: number[] = [];
    tenancy.lease(1, () => told.push(1));
    tenancy.lease(2, () => told.push(2))!.release();
    tenancy.stopped();
    assert.deepEqual(told, [1]);
    assert.equal(
      tenancy.lease(3, () => {}),
      null,
    );
  });
});

describe('a private server that is left alone', () => {
  /** Lets time pass, and counts how often a look was taken at the clients meanwhile. */
  function timed(t: TestContext, first: Build) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { state, tenancy } = tenancyOf(t, first);
    let looks = 0;
    Object.defineProperty(state, 'clientsIdleMs', {
      get() {
        looks++;
        return state.now;
      },
    });
    const pass = (ms: number) => {
      const before = looks;
      for (const end = state.now + ms; state.now < end; ) {
        const step = Math.min(1000, end - state.now);
        state.now += step;
        t.mock.timers.tick(step);
      }
      return looks - before;
    };
    return { state, tenancy, pass };
  }

  test('is not woken before its idle time is over, and ends then', (t) => {
    const { state, pass } = timed(t, { idleMs: HOUR, parent: null });
    assert.equal(pass(HOUR - 1), 0);
    assert.deepEqual(state.reasons, []);
    pass(2000);
    assert.deepEqual(state.reasons, ['no client for 3600 s']);
  });

  test('counts its idle time from the last lease, and does nothing while one is held', (t) => {
    const { state, tenancy, pass } = timed(t, { idleMs: HOUR, parent: null });
    const lease = tenancy.lease(1, () => {})!;
    assert.ok(pass(3 * HOUR) <= 2);
    assert.equal(lease.release(), 'kept');
    pass(HOUR - 1);
    assert.deepEqual(state.reasons, []);
    pass(2000);
    assert.deepEqual(state.reasons, ['no client for 3600 s']);
  });

  test('sees within a second or so that the process of its build has ended', (t) => {
    const { state, pass } = timed(t, { idleMs: HOUR, parent: 2 ** 30 });
    pass(1001);
    assert.deepEqual(state.reasons, []);
  });
});
