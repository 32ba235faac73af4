import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LogFields, type Logger, limitRate } from '../../lib/log.ts';
import { createUnihashCache } from '../../lib/storage/unihash-cache.ts';

describe('the unihash cache', () => {
  test('answers what was put in and knows nothing of the rest', () => {
    const cache = createUnihashCache(10_000);
    cache.set('m t1', 'u1', cache.epoch);
    assert.equal(cache.get('m t1'), 'u1');
    assert.equal(cache.get('m t2'), undefined);
    assert.equal(cache.get('__proto__'), undefined);
  });

  test('holds no more bytes than it may, however much is put in', () => {
    for (const maxBytes of [0, 1, 1000, 100_000]) {
      const cache = createUnihashCache(maxBytes);
      for (let i = 0; i < 5000; i++) {
        cache.set(`method taskhash-${i}`, 'u'.repeat(64), cache.epoch);
        cache.get(`method taskhash-${i - 3}`);
        // One entry may always stay: it is what tips the scale.
        assert.ok(cache.bytes <= maxBytes + 400, `${cache.bytes} of ${maxBytes}`);
      }
    }
  });

  test('keeps what is asked again and again, and lets the rest go', () => {
    const cache = createUnihashCache(50_000);
    cache.set('hot', 'u', cache.epoch);
    for (let i = 0; i < 10_000; i++) {
      cache.set(`cold ${i}`, 'u', cache.epoch);
      assert.equal(cache.get('hot'), 'u', `after ${i}`);
    }
    assert.equal(cache.get('cold 0'), undefined);
  });

  test('forgets everything at once, and does not keep answers read before', () => {
    const cache = createUnihashCache(10_000);
    const { epoch } = cache;
    cache.set('old', 'u', epoch);
    cache.clear();
    assert.equal(cache.get('old'), undefined);
    assert.equal(cache.bytes, 0);
    cache.set('late', 'u', epoch);
    assert.equal(cache.get('late'), undefined);
    cache.set('new', 'u', cache.epoch);
    assert.equal(cache.get('new'), 'u');
  });
});

/** A logger that keeps what it is told. */
function recorder(): { log: Logger; lines: { level: string; message: string; fields: LogFields | undefined }[] } {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields });
  return { log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }, lines };
}

describe('log lines that clients bring about', () => {
  test('are at most so many a second of a kind, and the rest are counted', async () => {
    const { log, lines } = recorder();
    const limited = limitRate(log, 10);
    const second = Math.floor(performance.now() / 1000);
    for (let i = 0; i < 500; i++) limited.warn('bad input');
    limited.warn('another kind');
    // The loop may straddle the turn of a second.
    assert.ok(lines.filter(({ message }) => message === 'bad input').length <= 20);
    assert.equal(lines.at(-1)?.message, 'another kind');
    while (Math.floor(performance.now() / 1000) <= second + 1) await new Promise((resolve) => setTimeout(resolve, 20));
    limited.warn('bad input');
    const counted = lines.flatMap(
      ({ message }) => /bad input \((\d+) more such lines left out\)/.exec(message)?.[1] ?? [],
    );
    const written = lines.filter(({ message }) => message === 'bad input').length;
    assert.equal(counted.reduce((sum, text) => sum + Number(text), 0) + written, 501);
  });

  test('hold at most 128 characters of a client’s text, and none that forges a line', () => {
    const { log, lines } = recorder();
    limitRate(log).info('x', { text: 'a\nb\r\u001b[31m\u0085\u2028'.padEnd(1000, 'y'), count: 5, none: null });
    const { text, ...rest } = lines[0]!.fields as { text: string };
    assert.equal(text.length, 128);
    assert.ok(text.startsWith('a?b??[31m??yyy'), text);
    assert.deepEqual(rest, { count: 5, none: null });
  });
});
