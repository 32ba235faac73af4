import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTenancy } from '../../lib/cli/auto/tenancy.ts';
import type { Build } from '../../lib/cli/process/control.ts';

const HOUR = 3_600_000;

/** A server without clients, whose clock the test turns. */
function tenancyOf(t: { after(fn: () => void): void }, first: Build) {
  const state = { now: 0, reasons: [] as string[] };
  const tenancy = createTenancy({
    first,
    clientsIdleMs: () => Number.POSITIVE_INFINITY,
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
