import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Asked, followed } from '../../lib/cli/insights/progress.ts';

/** A server that says this, one after the other, and the answer after the last; and the bar that shows it. */
function scene(told: readonly unknown[]) {
  const seen: string[] = [];
  let shown = 0;
  let answers: (text: string) => void = () => {};
  const answer = new Promise<string>((resolve) => {
    answers = resolve;
  });
  const rest = [...told];
  const connect = async () => {
    const invoke = async () => {
      const next = rest.shift();
      if (rest.length === 0) answers('the answer');
      if (next instanceof Error) throw next;
      return next;
    };
    return { invoke } as unknown as Asked;
  };
  const show = async (what: string, total: number) => {
    seen.push(`0 of ${total} ${what}`);
    return {
      add: (count: number) => {
        shown += count;
        seen.push(`${shown}`);
      },
      setTotal: () => {},
      stop: () => void seen.push('ended'),
    };
  };
  const options = { isTerminal: true, beginMs: 1, lookMs: 1, show };
  return { seen, answer, connect, options };
}
const running = (share: number, name = 'age') => ({ running: { name, share, seconds: 1 }, waiting: 0 });

describe('an insight that is waited for at a terminal', () => {
  test('shows how far it has come, never back, and ends its line', async () => {
    const { seen, answer, connect, options } = scene([
      running(0),
      running(0.5),
      running(0.4),
      running(0.75),
      running(1),
    ]);
    assert.equal(await followed('insight-age', connect, answer, options), 'the answer');
    assert.deepEqual(seen.slice(0, 4), ['0 of 100 steps', '50', '75', 'ended']);
    assert.equal(seen.length, 4, 'what is told once the answer is there is not shown');
  });

  test('shows nothing of another that is worked out, of nothing, or where the server does not know', async () => {
    for (const told of [[running(0.5, 'unstable')], [{ running: null, waiting: 1 }], [new Error('unknown command')]]) {
      const { seen, answer, connect, options } = scene(told);
      assert.equal(await followed('insight-age', connect, answer, options), 'the answer');
      assert.deepEqual(seen, []);
    }
  });

  test('connects no second time where the answer is there at once, nor in a pipe', async () => {
    let connected = 0;
    const counted = () => {
      connected++;
      return Promise.reject(new Error('nobody should connect'));
    };
    const { options } = scene([]);
    await followed('insight-age', counted, Promise.resolve(1), { ...options, beginMs: 60_000 });
    const later = new Promise((resolve) => setTimeout(resolve, 20));
    await followed('insight-age', counted, later, { ...options, isTerminal: false });
    assert.equal(connected, 0);
  });

  test('fails as the insight does, with its line ended', async () => {
    const { seen, connect, options } = scene([running(0.1), running(0.2)]);
    const fails = new Promise((_, reject) => setTimeout(reject, 50, new Error('it took too long')));
    await assert.rejects(followed('insight-age', connect, fails, options), /it took too long/);
    assert.equal(seen.at(-1), 'ended');
  });
});
