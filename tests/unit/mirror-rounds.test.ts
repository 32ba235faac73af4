import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Clock, createRounds } from '../../lib/mirror/rounds.ts';

const SECOND = 1000;
const HOUR = 3_600_000;

/** Time that passes when the test says so, and what was asked to be called at which moment of it. */
function fakeClock(random: () => number) {
  const due = new Map<object, { readonly at: number; readonly call: () => void }>();
  const pauses: number[] = [];
  let now = 0;
  const clock: Clock = {
    after(ms, call) {
      const key = {};
      pauses.push(ms);
      due.set(key, { at: now + ms, call });
      return () => void due.delete(key);
    },
    random,
  };
  return {
    clock,
    pauses,
    get waiting() {
      return due.size;
    },
    /** Calls what comes next. */
    async goOn() {
      const [key, next] = [...due].sort(([, a], [, b]) => a.at - b.at)[0]!;
      due.delete(key);
      now = next.at;
      next.call();
      await settled();
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the rounds of a mirror', () => {
  test('are never two at once, and no pause is longer than the usual one', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: SECOND, max: 7 * 24 * HOUR }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (everyMs, ends, random) => {
          const { clock, pauses, ...time } = fakeClock(() => random);
          let under = 0;
          let most = 0;
          let begun = 0;
          const open: ((wentWell: boolean) => void)[] = [];
          const rounds = createRounds(
            everyMs,
            () => {
              begun++;
              most = Math.max(most, ++under);
              return new Promise((resolve) => {
                open.push((wentWell) => {
                  under--;
                  resolve(wentWell);
                });
              });
            },
            clock,
          );
          rounds.begin();
          rounds.begin();
          for (const [i, end] of ends.entries()) {
            assert.equal(begun, i + 1);
            assert.equal(pauses.length, i, 'nothing waits while a round runs');
            open.shift()!(end);
            await settled();
            const pause = pauses.at(-1)!;
            assert.ok(pause <= everyMs && pause > 0, `a pause of ${pause} ms`);
            if (end) assert.ok(pause >= everyMs * 0.9, 'the usual one after a round that went well');
            await time.goOn();
          }
          assert.equal(most, 1);
          rounds.close();
        },
      ),
      { numRuns: 50 },
    ));

  test('come sooner after a failure, each further one later, and as usual once one went well', async () => {
    const time = fakeClock(() => 0);
    const ends = [false, false, false, true, false, true];
    const rounds = createRounds(HOUR, async () => ends.shift()!, time.clock);
    rounds.begin();
    await settled();
    while (ends.length > 0) await time.goOn();
    assert.deepEqual(time.pauses, [5 * SECOND, 10 * SECOND, 20 * SECOND, HOUR, 5 * SECOND, HOUR]);
  });

  test('end with the mirror: nothing waits then, whether one runs or not', async () => {
    const time = fakeClock(() => 0);
    let end = (_wentWell: boolean) => {};
    const rounds = createRounds(HOUR, () => new Promise((resolve) => (end = resolve)), time.clock);
    rounds.begin();
    end(true);
    await settled();
    await time.goOn();
    rounds.close();
    end(true);
    await settled();
    assert.equal(time.pauses.length, 1, 'none is asked for after the end');
    const other = createRounds(HOUR, async () => true, time.clock);
    other.begin();
    await settled();
    other.close();
    other.begin();
    assert.equal(time.pauses.length, 2);
  });
});
