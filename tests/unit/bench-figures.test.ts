import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, METHOD, OUTHASH, TASKHASH, UNIHASH } from '../../bench/keys.ts';
import { topSelfTimes } from '../../bench/profile.ts';
import { buildRequests, MODES } from '../../bench/requests.ts';
import { KEYS_A_TURN, marginOf, needOf, planKeys, ROWS } from '../../bench/rows.ts';
import { median, percentile } from '../../bench/statistics.ts';

const row = (name: string) => ROWS.find((each) => each.name === name)!;

test('a percentile is the element that so many lie below, and the last at the end', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => percentile(hundred, share)),
    [0, 50, 99, 99],
  );
  assert.equal(percentile([7], 0.99), 7);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('a median needs no order, and of an even number of values it is the mean of the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 1, 2, 4]), 3);
  assert.ok(Number.isNaN(median([])));
});

test('a bar in terms of echo is a share of echo in the same run', () => {
  assert.deepEqual(needOf(row('get-stream 1x1 hot'), 40_000), { raw: 32_000, scaled: 32_000 });
});

test('a bar in terms of the reference is scaled by the speed of this machine', () => {
  // Half as fast as the machine of performance.md, where echo reached 1,600,000.
  assert.deepEqual(needOf(row('report 10x64'), 800_000), { raw: 10_800, scaled: 5_400 });
  assert.equal(needOf(row('test-pr 10x1'), 800_000), null);
});

test('reports in flight must also be answered soon enough', () => {
  const report = row('report 10x64');
  const met = (rate: number, p99Us: number) => marginOf(report, rate, p99Us, 1_600_000) >= 1;
  assert.deepEqual([met(10_800, 100_000), met(10_800, 101_000), met(10_790, 100_000)], [true, false, false]);
});

test('cold keys are in the database, and none of them was asked before', () => {
  for (const each of ROWS.filter(({ temperature }) => temperature === 'cold')) {
    for (const hashes of [10, 10_000, 1_000_000]) {
      const { warm, measured } = planKeys(each, hashes, 0);
      assert.ok(measured.offset >= warm.offset + warm.keys);
      assert.ok(measured.offset + measured.keys <= hashes);
      assert.equal(measured.requests, measured.keys, 'each is asked once');
    }
  }
});

test('hot keys were all asked in the warm-up', () => {
  for (const each of ROWS.filter(({ temperature }) => temperature === 'hot')) {
    const { warm, measured } = planKeys(each, 1_000_000, 0);
    assert.equal(measured.offset, warm.offset);
    assert.ok(measured.keys <= warm.keys && warm.requests >= warm.keys);
  }
});

test('missing keys are not in the database, whatever other rows have stored there', () => {
  const missing = ROWS.filter(({ temperature }) => temperature === 'missing');
  assert.ok(missing.length > 0);
  for (const each of missing) {
    const { warm, measured } = planKeys(each, 10_000_000, 0);
    assert.ok(measured.offset > 10_000_000 + 10_000 * KEYS_A_TURN);
    assert.ok(warm.offset >= measured.offset + measured.keys, 'the warm-up asks for others');
  }
});

test('new keys are not in the database, and no two turns store the same', () => {
  for (const each of ROWS.filter(({ temperature }) => temperature === 'new')) {
    const first = planKeys(each, 1_000, 0);
    const second = planKeys(each, 1_000, 1);
    assert.ok(first.warm.offset >= 1_000);
    assert.ok(first.measured.offset >= first.warm.offset + first.warm.keys);
    assert.ok(second.warm.offset >= first.measured.offset + first.measured.keys);
  }
});

test('requests are whole lines, found by their offsets', () => {
  for (const mode of MODES) {
    const { bytes, offsets } = buildRequests(mode, 7, 20, 0);
    const text = bytes.toString('latin1');
    const lines = Array.from({ length: 20 }, (_, i) => text.slice(offsets[i], offsets[i + 1]));
    assert.equal(lines.join(''), text);
    for (const line of lines) assert.match(line, /^[^\n#]+\n$/);
  }
});

test('a request names the hashes of its key', () => {
  const text = (mode: (typeof MODES)[number], salt = 0) => buildRequests(mode, 5, 1, salt).bytes.toString('latin1');
  assert.equal(text('get'), `${METHOD} ${hashOf(5, TASKHASH)}\n`);
  assert.equal(text('exists'), `${hashOf(5, UNIHASH)}\n`);
  assert.deepEqual(JSON.parse(text('report', 3)), {
    report: {
      taskhash: hashOf(5, TASKHASH),
      method: METHOD,
      outhash: hashOf(8, OUTHASH),
      unihash: hashOf(5, UNIHASH),
    },
  });
  assert.deepEqual(JSON.parse(text('getpr')), {
    'get-pr': { version: 'pkg5-1.0-r0', pkgarch: 'core2-64', checksum: hashOf(5, TASKHASH), history: false },
  });
});

test('self times are summed by function, within the measured time only', () => {
  const frame = (functionName: string, lineNumber: number) => ({
    functionName,
    url: 'file:///x/dist/lib/a.js',
    lineNumber,
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('parse', 0) },
      { id: 2, callFrame: frame('parse', 0) },
      { id: 3, callFrame: frame('', 9) },
    ],
    startTime: 1_000,
    samples: [3, 1, 2, 3, 1],
    timeDeltas: [100, 100, 300, 200, 5_000],
  };
  assert.deepEqual(topSelfTimes(profile, 1_150, 2_000, 5), [
    { name: 'parse', where: 'lib/a.js:1', ms: 0.4, share: 400 / 600 },
    { name: '(anonymous)', where: 'lib/a.js:10', ms: 0.2, share: 200 / 600 },
  ]);
});
