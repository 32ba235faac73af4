import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bytes, count, counted, latency, percent, rate, short } from '../../web/src/format/numbers.ts';
import { cut, shortHash, visible, visibleParts } from '../../web/src/format/text.ts';
import { ago, dateTime, duration, fullTime, parseTime } from '../../web/src/format/time.ts';

describe('figures on the page', () => {
  test('have their unit, and a dash where there is no figure', () => {
    assert.equal(count(1234567), '1,234,567');
    assert.equal(counted(1, 'row'), '1 row');
    assert.equal(counted(1200, 'row'), '1,200 rows');
    assert.equal(bytes(512), '512 B');
    assert.equal(bytes(12.3 * 1024 * 1024), '12.3 MiB');
    assert.equal(rate(0.25), '0.25/s');
    assert.equal(rate(1240.4), '1,240/s');
    assert.equal(latency(0.4), '0.4 ms');
    assert.equal(latency(2500), '2.5 s');
    assert.equal(short(12_300), '12.3k');
    for (const format of [count, bytes, rate, latency, short])
      for (const nothing of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(format(nothing), '–');
  });

  test('go over to the next unit without a 1,024 in between', () => {
    assert.equal(bytes(1023), '1,023 B');
    assert.equal(bytes(1024), '1 KiB');
    assert.equal(bytes(1024 * 1024 - 1), '1 MiB');
    assert.equal(latency(999.7), '1 s');
    assert.equal(short(999_600), '1M');
  });

  test('a share that is not quite nothing or everything does not look like it', () => {
    assert.equal(percent(0, 100), '0 %');
    assert.equal(percent(1, 100_000), '< 0.1 %');
    assert.equal(percent(99_999, 100_000), '> 99.9 %');
    assert.equal(percent(100, 100), '100 %');
    assert.equal(percent(37, 100), '37 %');
    assert.equal(percent(1, 0), '–');
  });

  test('are never longer than an axis has room for', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e12, noNaN: true }), (value) => {
        assert.ok(short(value).length <= 7, short(value));
        assert.ok(bytes(value).length <= 9, bytes(value));
      }),
    );
  });
});

describe('times on the page', () => {
  test('of a database are UTC, with six digits after the second or with none, with a zone or without', () => {
    const at = Date.UTC(2026, 10, 21, 18, 12, 44);
    assert.equal(parseTime('2026-11-21T18:12:44.123456+00:00'), at + 123);
    assert.equal(parseTime('2026-11-21T18:12:44'), at);
    assert.equal(parseTime('2026-11-21 18:12:44Z'), at);
    assert.equal(parseTime('2026-11-21T19:12:44+01:00'), at);
    for (const none of [null, undefined, '', 'yesterday', '2026-13-41T00:00:00', '<script>'])
      assert.equal(parseTime(none), null);
  });

  test('are written in the zone of the reader', () => {
    const at = Date.UTC(2026, 10, 21, 23, 30);
    assert.equal(dateTime(at, 'UTC'), '21 Nov 2026, 23:30');
    assert.equal(dateTime(at, 'Asia/Tokyo'), '22 Nov 2026, 08:30');
    assert.match(fullTime(at, 'UTC'), /21 November 2026.*23:30:00 UTC/);
  });

  test('durations have their two largest units', () => {
    assert.equal(duration(0), '0 s');
    assert.equal(duration(59.6), '1 min 0 s');
    assert.equal(duration(321_000), '3 d 17 h');
    assert.equal(duration(-5), '0 s');
    assert.equal(duration(null), '–');
  });

  test('are told from now, before and behind it', () => {
    assert.equal(ago(1000, 3000), 'just now');
    assert.equal(ago(0, 61_000), '1 min ago');
    assert.equal(ago(7_200_000, 0), 'in 2 h');
  });
});

describe('texts from elsewhere', () => {
  test('show what would not be seen, or would turn their direction around', () => {
    assert.equal(visible('a\u202egnp.exe\n\u0007'), 'a\\u{202e}gnp.exe\\n\\u{7}');
    assert.equal(visible('\u200bzero\ufeff'), '\\u{200b}zero\\u{feff}');
    assert.equal(visible('\ud800x'), '\\u{d800}x');
    assert.equal(visible('<b>日本語 🍞 שלום</b>'), '<b>日本語 🍞 שלום</b>');
  });

  test('have no unseen character left in any part, and lose nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const parts = visibleParts(text);
        assert.equal(parts.map((part) => part.text).join(''), visible(text));
        assert.doesNotMatch(visible(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        assert.deepEqual(
          parts.filter(({ isEscape }) => !isEscape).map((part) => part.text),
          text.split(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u).filter((each) => each !== ''),
        );
      }),
    );
  });

  test('are cut to what fits, between two characters', () => {
    assert.deepEqual(cut('abc', 3), { text: 'abc', more: 0 });
    assert.deepEqual(cut('abcd', 3), { text: 'abc', more: 1 });
    assert.deepEqual(cut('ab🍞', 3), { text: 'ab', more: 2 });
  });

  test('are shortened where they are hashes, and only there', () => {
    assert.equal(shortHash('0123456789abcdef0123456789abcdef'), '0123456789ab…');
    assert.equal(shortHash('not-a-hash-but-rather-long'), 'not-a-hash-but-rather-long');
  });
});
