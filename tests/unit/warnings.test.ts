import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MirrorStatus } from '../../lib/meter/mirror-status.ts';
import { type WarningFacts, warningsOf } from '../../lib/warnings/rules.ts';
import { WarningWatch } from '../../lib/warnings/watch.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22);
const at = (days: number) => NOW + days * DAY;
const iso = (days: number) => new Date(at(days)).toISOString();

const DATABASE = {
  name: 'hash equivalence',
  file: '/srv/h.db',
  read: 'ok',
  write: 'ok',
  freeBytes: 5e9,
  backedUp: NOW,
};
const WELL: WarningFacts = {
  now: NOW,
  certificates: [{ address: 'tls://a', expires: at(100) }],
  databases: [DATABASE, { ...DATABASE, name: 'PR values', write: 'read-only', freeBytes: null, backedUp: null }],
  away: [],
  mirrors: [],
  lastFailedJob: null,
  mark: { text: 'm', since: at(-1) },
};

const codes = (more: Partial<WarningFacts>) =>
  warningsOf({ ...WELL, ...more }).map(({ code, severity }) => `${severity} ${code}`);
const database = (more: object) => codes({ databases: [{ ...DATABASE, ...more }] });

function mirror(more: Partial<MirrorStatus>): Partial<WarningFacts> {
  const status = { source: 'tcp://other', every_seconds: 600, lag_seconds: 0, failing_since: null, level_at: null };
  return { mirrors: [{ ...status, ...more } as MirrorStatus] };
}

describe('warnings', () => {
  test('are none when all is well', () => {
    assert.deepEqual(warningsOf(WELL), []);
  });

  test('tell of certificates two weeks before they end, urgently two days before, and when they have', () => {
    const expires = (days: number) => codes({ certificates: [{ address: 'tls://a', expires: at(days) }] });
    assert.deepEqual(expires(14), []);
    assert.deepEqual(expires(13.9), ['warning certificate-ends']);
    assert.deepEqual(expires(1.9), ['critical certificate-ends']);
    assert.deepEqual(expires(0), ['critical certificate-ended']);
    const [ended] = warningsOf({ ...WELL, certificates: [{ address: 'tls://a', expires: at(-3) }] });
    assert.deepEqual([ended!.subject, ended!.since], ['tls://a', iso(-3)]);
    assert.ok(!ended!.text.includes('tls://'), 'where it is is for those who look after the server');
  });

  test('tell of databases that cannot be read or written, and of full disks', () => {
    assert.deepEqual(database({ read: 'the database is damaged', write: 'no' }), ['critical database-failed']);
    assert.deepEqual(database({ write: 'storage full' }), ['critical database-unwritable']);
    assert.deepEqual(database({ read: null, write: null }), []);
    assert.deepEqual(database({ freeBytes: 1e9 }), []);
    assert.deepEqual(database({ freeBytes: 1e9 - 1 }), ['critical disk-full']);
  });

  test('tell of databases that were not backed up for more than a week', () => {
    assert.deepEqual(database({ backedUp: at(-8) }), []);
    assert.deepEqual(database({ backedUp: at(-8.1) }), ['warning no-backup']);
  });

  test('tell of upstreams that do not answer, and of mirrors that fail and are behind', () => {
    assert.deepEqual(codes({ away: [{ name: 'PR values', address: null }] }), ['warning upstream-away']);
    const behind = { lag_seconds: 2401, failing_since: iso(-1) };
    assert.deepEqual(codes(mirror(behind)), ['warning mirror-behind']);
    assert.deepEqual(codes(mirror({ ...behind, lag_seconds: 2400 })), []);
    assert.deepEqual(codes(mirror({ ...behind, failing_since: null })), [], 'it is on its way');
  });

  test('tell of a job that failed for a week, and of a garbage collection that nobody finishes', () => {
    const job = (days: number) => codes({ lastFailedJob: { id: 5, kind: 'gc', ended: iso(days) } });
    assert.deepEqual(job(-6.9), ['warning job-failed']);
    assert.deepEqual(job(-7), []);
    assert.deepEqual(codes({ mark: { text: 'm', since: at(-7.1) } }), ['warning gc-overdue']);
    assert.deepEqual(codes({ mark: null }), []);
  });

  test('come with what is critical first', () => {
    const facts = {
      ...mirror({ lag_seconds: 9999, failing_since: iso(-1) }),
      databases: [{ ...DATABASE, freeBytes: 0, backedUp: 0 }],
    };
    assert.deepEqual(codes(facts), ['critical disk-full', 'warning mirror-behind', 'warning no-backup']);
  });

  test('keep since when they are there, and are new when they come again', () => {
    const watch = new WarningWatch();
    const away = warningsOf({ ...WELL, away: [{ name: 'PR values', address: 'tcp://up' }] });
    const since = (now: number, warnings = away) => watch.dated(warnings, now).map((each) => each.since);
    assert.deepEqual(since(at(0)), [iso(0)]);
    assert.deepEqual(since(at(1)), [iso(0)]);
    assert.deepEqual(since(at(2), []), []);
    assert.deepEqual(since(at(3)), [iso(3)]);
    const failed = warningsOf({ ...WELL, lastFailedJob: { id: 1, kind: 'gc', ended: iso(-2) } });
    assert.deepEqual(since(at(0), failed as typeof away), [iso(-2)], 'where they say it themselves');
  });
});
