import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { createDailyNote } from '../../lib/prserv/daily-note.ts';

const DAY = '2026-11-22';
const HOUR_MS = 3_600_000;

function site(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse(`${DAY}T22:30:00Z`) });
  const noted: string[] = [];
  let failing = false;
  const store = {
    readOnly: false,
    async noteMoment(moment: string) {
      if (failing) throw new Error('the disk is full');
      noted.push(moment);
    },
  };
  const daily = createDailyNote(store, SILENT);
  t.after(() => daily.close());
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { noted, daily, pass, store, fail: (now: boolean) => (failing = now) };
}

test('a moment is noted with the first client that comes a minute after the first of a day, once', async (t) => {
  const { noted, daily, pass } = site(t);
  await pass(HOUR_MS);
  for (let i = 0; i < 3; i++) daily.client();
  await pass(59_000);
  daily.client();
  await pass(600_000);
  assert.deepEqual(noted, [], 'nobody else came');
  daily.client();
  daily.client();
  await pass(60_000);
  daily.client();
  await pass(0);
  assert.deepEqual(noted, [`${DAY}T23:40:59.000Z`]);
  await pass(HOUR_MS);
  daily.client();
  await pass(60_000);
  daily.client();
  await pass(0);
  assert.equal(noted.length, 2);
  assert.match(noted[1]!, /^2026-11-23T00:4/);
});

test('a note that fails is tried again an hour later, and none is made after the end', async (t) => {
  const { noted, daily, pass, fail } = site(t);
  const twice = async () => {
    daily.client();
    await pass(60_000);
    daily.client();
    await pass(0);
  };
  fail(true);
  await twice();
  fail(false);
  await twice();
  assert.deepEqual(noted, []);
  await pass(HOUR_MS - 600_000);
  await twice();
  assert.deepEqual(noted, []);
  await pass(600_000);
  daily.client();
  daily.close();
  await twice();
  assert.deepEqual(noted, []);
});

test('a note that failed is made an hour later', async (t) => {
  const { noted, daily, pass, fail } = site(t);
  fail(true);
  daily.client();
  await pass(60_000);
  daily.client();
  await pass(HOUR_MS);
  fail(false);
  daily.client();
  await pass(60_000);
  daily.client();
  await pass(0);
  assert.equal(noted.length, 1);
});

test('a read-only server notes nothing', async (t) => {
  const { noted, store, pass } = site(t);
  const daily = createDailyNote({ ...store, readOnly: true }, SILENT);
  daily.client();
  await pass(HOUR_MS);
  daily.client();
  await pass(0);
  assert.deepEqual(noted, []);
});
