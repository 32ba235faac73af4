import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { ConfigError, InvokeError } from '../../lib/errors.ts';
import { createLoginThrottle } from '../../lib/hashserv/access/login-throttle.ts';
import {
  covers,
  denied,
  parseAnonymousPermissions,
  parsePermissions,
  spellOut,
  storedPermissions,
} from '../../lib/hashserv/access/permissions.ts';
import { hashToken, newToken, verifyToken } from '../../lib/hashserv/access/tokens.ts';
import { createClock, momentAgo } from '../../lib/hashserv/clock.ts';
import { RequestStats } from '../../lib/hashserv/stats.ts';
import { conditionsFor, QUERY_COLUMNS } from '../../lib/hashserv/where.ts';

describe('permissions', () => {
  test('are sorted, counted once, and rid of @none', () => {
    assert.deepEqual(parsePermissions(['@report', '@none', '@read', '@report']), ['@read', '@report']);
    assert.deepEqual(parsePermissions(['@none']), []);
    assert.deepEqual(storedPermissions(' @read  @report '), ['@read', '@report']);
    assert.deepEqual(spellOut(['@all']), ['@all', '@db-admin', '@read', '@report', '@user-admin']);
  });

  test('that are unknown or of another type are refused', () => {
    assert.throws(() => parsePermissions(['@read', '@x', 'read']), /Unknown permissions @x, read/);
    for (const bad of ['@read', null, {}, [5]]) assert.throws(() => parsePermissions(bad), InvokeError);
  });

  test('of anonymous clients are never @user-admin nor @all', () => {
    assert.deepEqual(parseAnonymousPermissions(['@read', '@none', '@db-admin']), ['@read', '@db-admin']);
    for (const bad of ['@user-admin', '@all', '@x'])
      assert.throws(() => parseAnonymousPermissions(['@read', bad]), ConfigError);
  });

  test('all that are needed must be held, or @all', () => {
    assert.ok(covers(new Set(['@read', '@report']), ['@report', '@read']));
    assert.ok(!covers(new Set(['@read']), ['@read', '@report']));
    assert.ok(covers(new Set(['@all']), ['@user-admin']));
    assert.ok(covers(new Set(), []));
  });

  test('that lack are named as BitBake names them', () => {
    assert.equal(
      denied(null, ['@read', '@report']).message,
      'Anonymous user is not allowed to access permissions(s) @read, @report',
    );
    assert.equal(denied('me', ['@db-admin']).message, 'me is not allowed to access permissions(s) @db-admin');
  });
});

describe('tokens', () => {
  test('are 48 random bytes in base64 with . and _', () => {
    const tokens = Array.from({ length: 200 }, newToken);
    assert.equal(new Set(tokens).size, 200);
    for (const token of tokens) assert.match(token, /^[A-Za-z0-9._]{64}$/);
  });

  test('are stored as sha256:<salt>:<hex sha256(salt text + token text)>', () => {
    const digest = createHash('sha256').update('abcdtoken').digest('hex');
    assert.equal(hashToken('token', 'abcd'), `sha256:abcd:${digest}`);
    assert.notEqual(hashToken('token'), hashToken('token'));
  });

  test('verify when they are the stored one and never for an unknown user', () => {
    const stored = hashToken('secret');
    assert.equal(verifyToken('secret', stored), true);
    for (const wrong of ['Secret', 'secret ', '', stored]) assert.equal(verifyToken(wrong, stored), false);
    assert.equal(verifyToken('secret', null), false);
    for (const broken of ['', 'sha256', 'sha256::', 'md5:aa:bb', 'secret', stored.slice(0, -1)])
      assert.equal(verifyToken('secret', broken), false);
  });
});

describe('the login throttle', () => {
  const LIMITS = { loginFailureDelayMs: 1000, maxLoginFailures: 5, loginCautionMs: 30_000, maxCautiousLogins: 50 };
  const TURN_MS = 1000 / LIMITS.maxCautiousLogins;

  /** A throttle whose time passes when the test says so. */
  function throttle(t: TestContext, limits = LIMITS) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let time = 0;
    const pass = (ms: number) => {
      time += ms;
      t.mock.timers.tick(ms);
    };
    const logins = createLoginThrottle(limits, undefined, () => time);
    const failOften = (address: string, user: string, times = limits.maxLoginFailures) => {
      for (let i = 0; i < times; i++) void logins.failed(address, user);
    };
    return { logins, pass, failOften };
  }
  /** What has settled once everything that can happen has. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('answers a failure after its time and no sooner', async (t) => {
    const { logins, pass } = throttle(t);
    let answered = false;
    void logins.failed('a', 'me').then(() => {
      answered = true;
    });
    pass(LIMITS.loginFailureDelayMs - 1);
    await settled();
    assert.equal(answered, false);
    pass(1);
    await settled();
    assert.equal(answered, true);
  });

  test('has nobody wait but logins of a user from where so many of them failed', (t) => {
    const { logins, failOften } = throttle(t);
    failOften('a', 'me', LIMITS.maxLoginFailures - 1);
    assert.equal(logins.turn('a', 'me'), null);
    failOften('a', 'me', 1);
    assert.notEqual(logins.turn('a', 'me'), null);
    assert.equal(logins.turn('a', 'you'), null);
    assert.equal(logins.turn('b', 'me'), null);
  });

  test('has those wait in turn, so many a second, and lets every one of them come', async (t) => {
    const { logins, pass, failOften } = throttle(t);
    failOften('a', 'me');
    const come: number[] = [];
    for (let i = 0; i < 4; i++) void logins.turn('a', 'me')!.come.then(() => come.push(i));
    for (let n = 1; n <= 4; n++) {
      pass(TURN_MS);
      await settled();
      assert.deepEqual(come, [0, 1, 2, 3].slice(0, n));
    }
  });

  test('keeps no place for those who hang up, and goes no faster for them', async (t) => {
    const { logins, pass, failOften } = throttle(t);
    failOften('a', 'me');
    for (let i = 0; i < 1000; i++) logins.turn('a', 'me')!.leave();
    const come: string[] = [];
    for (const name of ['first', 'second']) void logins.turn('a', 'me')!.come.then(() => come.push(name));
    pass(TURN_MS);
    await settled();
    assert.deepEqual(come, ['first']);
  });

  test('has nobody wait any more after its time, nor for failures of more than a minute ago', (t) => {
    const { logins, pass, failOften } = throttle(t);
    failOften('a', 'me');
    pass(LIMITS.loginCautionMs);
    assert.equal(logins.turn('a', 'me'), null);
    pass(60_000);
    failOften('a', 'me', LIMITS.maxLoginFailures - 1);
    assert.equal(logins.turn('a', 'me'), null);
  });

  test('does not count logins that succeed: a farm makes hundreds in a second', (t) => {
    const { logins } = throttle(t);
    for (let i = 0; i < 1000; i++) assert.equal(logins.turn('a', 'me'), null);
  });

  test('keeps its memory bounded, whatever names are made up', (t) => {
    const { logins, failOften } = throttle(t, { ...LIMITS, maxLoginFailures: 1 });
    for (let i = 0; i < 10_001; i++) failOften('a', `user ${i}`);
    assert.equal(logins.turn('a', 'user 0'), null);
    assert.notEqual(logins.turn('a', 'user 1'), null);
  });
});

describe('the clock', () => {
  test('tells ISO 8601 UTC with microseconds, and later each time', () => {
    const clock = createClock();
    const times = Array.from({ length: 2000 }, () => clock());
    for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    assert.deepEqual([...times].sort(), times);
    assert.equal(new Set(times).size, times.length);
  });

  test('does not go back when the system’s does', () => {
    let now = 1_600_000_000_000;
    const clock = createClock(null, () => now);
    assert.equal(clock(), '2020-09-13T12:26:40.000000+00:00');
    now -= 3_600_000;
    assert.equal(clock(), '2020-09-13T12:26:40.000001+00:00');
    now += 7_200_000;
    assert.equal(clock(), '2020-09-13T13:26:40.000000+00:00');
  });

  test('goes on from the newest row where the system’s clock is behind after a restart', () => {
    const now = () => 1_600_000_000_000;
    for (const newest of ['2031-01-01T00:00:00.000009+00:00', '2031-01-01 00:00:00.000009']) {
      const clock = createClock(newest, now);
      assert.equal(clock(), '2031-01-01T00:00:00.000010+00:00');
      assert.equal(clock(), '2031-01-01T00:00:00.000011+00:00');
    }
    assert.equal(createClock('2031-01-01 00:00:00.5', now)(), '2031-01-01T00:00:00.500001+00:00');
    for (const useless of [
      '2001-01-01T00:00:00.000000+00:00',
      '9999-12-31T23:59:59.999999+00:00',
      '',
      'now',
      '2031-99-99T00:00:00',
    ])
      assert.equal(createClock(useless, now)(), '2020-09-13T12:26:40.000000+00:00');
  });

  test('tells what was so many seconds ago, at the earliest the year 1', () => {
    const now = () => 1_599_999_999_999;
    assert.equal(momentAgo(60.5, now), '2020-09-13T12:25:39.500000+00:00');
    for (const age of [1e11, 1e300, Number.MAX_VALUE])
      assert.equal(momentAgo(age, now), '0001-01-01T00:00:00.000000+00:00');
  });
});

describe('request statistics', () => {
  test('are those of a naive computation', () => {
    const stats = new RequestStats();
    const times: number[] = [];
    for (let i = 1; i <= 200; i++) {
      const count = (i * 7) % 5;
      const elapsedMs = ((i * 37) % 11) * 1.7;
      stats.record(count, elapsedMs);
      for (let k = 0; k < count; k++) times.push(elapsedMs / 1000 / count);
    }
    const total = times.reduce((sum, time) => sum + time, 0);
    const average = total / times.length;
    const variance = times.reduce((sum, time) => sum + (time - average) ** 2, 0) / (times.length - 1);
    const figures = stats.figures();
    assert.equal(figures.num, times.length);
    assert.equal(figures.max_time, Math.max(...times));
    for (const [got, expected] of [
      [figures.total_time, total],
      [figures.average, average],
      [figures.stdev, Math.sqrt(variance)],
    ] as const)
      assert.ok(Math.abs(got - expected) < 1e-9, `${got} instead of ${expected}`);
  });

  test('are all nought without requests and after a reset', () => {
    const stats = new RequestStats();
    const nothing = { num: 0, total_time: 0, max_time: 0, average: 0, stdev: 0 };
    stats.record(0, 5);
    assert.deepEqual(stats.figures(), nothing);
    stats.record(1, 5);
    assert.equal(stats.figures().stdev, 0);
    stats.reset();
    assert.deepEqual(stats.figures(), nothing);
  });
});

describe('a where', () => {
  test('puts on each table the conditions it has a column for', () => {
    const where = { method: 'm', unihash: 'u', outhash: 'o', PN: null };
    assert.deepEqual(conditionsFor('unihashes', where), [
      ['method', 'm'],
      ['unihash', 'u'],
    ]);
    assert.deepEqual(conditionsFor('outhashes', where), [
      ['method', 'm'],
      ['outhash', 'o'],
    ]);
  });

  test('is the same in whatever order its columns are named: each order would keep a statement of its own', () => {
    const columns = [...QUERY_COLUMNS];
    const orders = [columns, columns.toReversed(), [...columns.slice(3), ...columns.slice(0, 3)]];
    for (const table of ['unihashes', 'outhashes'] as const) {
      const seen = orders.map((order) => conditionsFor(table, Object.fromEntries(order.map((name) => [name, 'x']))));
      assert.deepEqual(seen, [seen[0], seen[0], seen[0]]);
    }
  });

  test('without a condition for a table matches nothing in it', () => {
    for (const where of [{}, { outhash: 'o' }, { method: null }]) assert.equal(conditionsFor('unihashes', where), null);
    assert.equal(conditionsFor('outhashes', { unihash: 'u' }), null);
  });

  test('with an unknown column is refused, naming it and the columns there are', () => {
    for (const column of [
      'tashkhash',
      'id',
      'created',
      '',
      '__proto__',
      'constructor',
      'METHOD',
      'method" OR 1=1 --',
    ]) {
      const where = Object.fromEntries([
        ['method', 'm'],
        [column, null],
      ]);
      assert.throws(
        () => conditionsFor('unihashes', where),
        (error: Error) => {
          assert.ok(error instanceof InvokeError);
          assert.ok(
            error.message.includes(JSON.stringify(column)) && error.message.includes('taskhash'),
            error.message,
          );
          return true;
        },
      );
    }
  });

  test('may use every text column once listed', () => {
    assert.equal(new Set(QUERY_COLUMNS).size, QUERY_COLUMNS.length);
    for (const column of QUERY_COLUMNS)
      assert.ok(conditionsFor('unihashes', { [column]: 'x' }) ?? conditionsFor('outhashes', { [column]: 'x' }));
  });
});
