import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { createLogger, type LogFields, type Logger, limitRate } from '../../lib/log.ts';
import { createUnihashCache } from '../../lib/storage/memory/unihash-cache.ts';
import { temporaryFolder } from '../helpers.ts';

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

  test('hold nothing of an error that forges a line or reaches a terminal, nor of its code, stack or cause', async (t) => {
    const { log, lines } = recorder();
    const bad = 'a\u001b[31m\r\n    at forged (line)\u0085';
    const error = new TypeError(bad, { cause: new StorageError('storage-io', bad) });
    limitRate(log).error('failed', { error, other: Object.assign(new Error('x'), { code: bad }) });
    const folder = temporaryFolder(t);
    for (const format of ['text', 'json'] as const) {
      const file = path.join(folder, format);
      const written = await createLogger('info', format, file);
      written.error('failed', { error, text: bad });
      limitRate(written).error('failed', { error });
      lines.push({ level: format, message: 'written', fields: { text: fs.readFileSync(file, 'utf8') } });
    }
    const [limited, ...files] = lines;
    for (const { fields } of files) {
      const text = String(fields!.text);
      assert.equal(text.split('\n').length, 3, text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    }
    const { error: text, other } = limited!.fields as Record<string, string>;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    for (const each of [text, other]) assert.doesNotMatch(each!, /[\x00-\x1f\x7f-\x9f]/);
    assert.match(
      text!,
      /^TypeError: a\?\[31m\?\? {4}at forged \(line\)\? at .*memory-and-log.*; caused by: a\?.*\[storage-io\]$/,
    );
    const long = recorder();
    limitRate(long.log).error('failed', { error: new StorageError('storage-io', 'x'.repeat(10_000)) });
    assert.ok(String(long.lines[0]!.fields!.error).length < 600);
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
