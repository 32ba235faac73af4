import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HostState, StandbyWatch } from '../../lib/storage/postgres/engine/host-state.ts';

const UP_TO_DATE: HostState = {
  standby: true,
  timeline: 1,
  generation: '0',
  streaming: true,
  bytes: '0',
  seconds: 0.1,
};

describe('how far a standby is behind', () => {
  test('a primary is not behind anything', () => {
    const watch = new StandbyWatch();
    assert.equal(watch.lag(0), null);
    watch.saw({ ...UP_TO_DATE, standby: false, streaming: false, bytes: null, seconds: null }, 0);
    assert.equal(watch.lag(0), null);
  });

  test('where the primary writes nothing the age of its last commit is not taken for a lag', () => {
    const watch = new StandbyWatch();
    for (let hour = 0; hour < 5; hour++) {
      watch.saw({ ...UP_TO_DATE, seconds: hour * 3600 }, hour * 3_600_000);
      assert.deepEqual(watch.lag(hour * 3_600_000 + 1000), { seconds: 0, bytes: 0, streaming: true });
    }
  });

  test('what arrives after a long rest is as old as the last look, and not as the last commit', () => {
    const watch = new StandbyWatch();
    watch.saw({ ...UP_TO_DATE, seconds: 3600 }, 10_000);
    watch.saw({ ...UP_TO_DATE, seconds: 3601, bytes: '500' }, 11_000);
    assert.deepEqual(watch.lag(11_000), { seconds: 1, bytes: 500, streaming: true });
  });

  test('under load, where something is always on its way, the last commit says it', () => {
    const watch = new StandbyWatch();
    watch.saw(UP_TO_DATE, 0);
    watch.saw({ ...UP_TO_DATE, seconds: 0.25, bytes: '500' }, 60_000);
    assert.equal(watch.lag(60_000)!.seconds, 0.25);
  });

  test('where the primary sends nothing it grows, whether or not all that was sent is replayed', () => {
    const watch = new StandbyWatch();
    watch.saw({ ...UP_TO_DATE, seconds: 100 }, 0);
    const cut: HostState = { ...UP_TO_DATE, streaming: false, bytes: null, seconds: 130 };
    watch.saw(cut, 30_000);
    assert.deepEqual(watch.lag(30_000), { seconds: 30, bytes: null, streaming: false });
    assert.equal(watch.lag(31_000)!.seconds, 31);
  });

  test('what was said long ago is not said of now', () => {
    const watch = new StandbyWatch();
    watch.saw(UP_TO_DATE, 0);
    assert.equal(watch.lag(2000)!.seconds, 0);
    assert.equal(watch.lag(20_000)!.seconds, 20);
  });

  test('with a clock that is ahead of its primary’s it is not in the future', () => {
    const watch = new StandbyWatch();
    watch.saw({ ...UP_TO_DATE, bytes: '-8', seconds: -4 }, 0);
    assert.deepEqual(watch.lag(0), { seconds: 0, bytes: 0, streaming: true });
    watch.saw({ ...UP_TO_DATE, bytes: '8', seconds: -4 }, 5000);
    assert.equal(watch.lag(5000)!.seconds, 0);
  });

  test('one that has not had a commit since it started has nothing to say', () => {
    const watch = new StandbyWatch();
    watch.saw({ ...UP_TO_DATE, streaming: false, bytes: null, seconds: null }, 0);
    assert.deepEqual(watch.lag(0), { seconds: null, bytes: null, streaming: false });
  });
});
