import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createKept } from '../../lib/http/api/kept.ts';

/** Something that is found at once, or when it is told to; each time it is another number. */
function clock() {
  let nowMs = 0;
  let found = 0;
  const kept = createKept<number>(() => nowMs);
  const after = (ms: number) => async () => {
    nowMs += ms;
    return ++found;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { kept, after, pass };
}

describe('what is costly to find out', () => {
  test('is asked again after a hundred times as long as it took', async () => {
    const { kept, after, pass } = clock();
    assert.equal(await kept(after(3)), 1);
    pass(299);
    assert.equal(await kept(after(3)), 1);
    pass(1);
    assert.equal(await kept(after(1)), 2);
    pass(100);
    assert.equal(await kept(after(1)), 3);
  });

  test('is found out once for all who ask meanwhile', async () => {
    const { kept, pass } = clock();
    let found: (value: number) => void = () => {};
    let asked = 0;
    const find = () => {
      asked++;
      return new Promise<number>((resolve) => {
        found = resolve;
      });
    };
    const all = [kept(find), kept(find)];
    pass(1_000_000);
    all.push(kept(find));
    found(7);
    assert.deepEqual(await Promise.all(all), [7, 7, 7]);
    assert.equal(asked, 1);
  });

  test('is not kept where it failed', async () => {
    const { kept, after } = clock();
    await assert.rejects(
      kept(() => Promise.reject(new Error('no disk'))),
      /no disk/,
    );
    assert.equal(await kept(after(1)), 1);
  });
});
