import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Reach } from '../../web/src/state/reach.ts';

/** A reach whose waits end when the test says so, and whose server answers as the test says. */
function reachOf(answers: (boolean | Error)[]) {
  const waits: { readonly ms: number; readonly then: () => void }[] = [];
  const reach = new Reach({
    async ping() {
      const answer = answers.shift() ?? false;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: (ms, then) => void waits.push({ ms, then }),
  });
  const next = async () => {
    waits.shift()!.then();
    await setImmediate();
  };
  return { reach, waits, next };
}

describe('a server that is away', () => {
  test('is asked again, more and more seldom, until it is back', async () => {
    const { reach, waits, next } = reachOf([new Error('refused'), false, false, false, false, true]);
    const told: boolean[] = [];
    reach.subscribe(() => told.push(reach.state.isAway));
    reach.note(true);
    const asked: number[] = [];
    while (reach.state.isAway) {
      asked.push(waits[0]!.ms);
      await next();
    }
    assert.deepEqual(asked, [1000, 2000, 4000, 8000, 10_000, 10_000]);
    assert.deepEqual(told, [true, false]);
    assert.deepEqual(waits, []);
  });

  test('has everything asked for again once it is back', async () => {
    const { reach, next } = reachOf([true]);
    reach.note(true);
    await next();
    assert.deepEqual(reach.state, { isAway: false, generation: 1 });
  });

  test('is asked once, however many requests have failed', () => {
    const { reach, waits } = reachOf([]);
    reach.note(true);
    reach.note(true);
    reach.note(false);
    assert.equal(waits.length, 1);
    assert.equal(reach.state.isAway, true);
  });

  test('is told to nobody who no longer listens', () => {
    const { reach } = reachOf([]);
    const end = reach.subscribe(() => assert.fail('told'));
    end();
    reach.note(true);
  });
});
