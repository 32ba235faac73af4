import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cannotMount, cannotProxy, cannotTrace, noBrowser, noPooler, noPromtool } from '../e2e/needs.ts';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/** Runs `look` where no program is found. */
function withoutPrograms<T>(look: () => T): T {
  const { PATH } = process.env;
  process.env.PATH = '/nowhere';
  try {
    return look();
  } finally {
    process.env.PATH = PATH;
  }
}

test('a test that needs strace, mounts, proxies or promtool skips itself where there is none, and in CI fails and says what to install', () => {
  withoutPrograms(() => {
    assert.match(String(cannotTrace({})), /needs strace/);
    assert.match(String(cannotMount({})), /needs the right to mount/);
    assert.match(String(cannotProxy({})), /needs nginx with its stream module/);
    assert.match(String(noPromtool({})), /needs promtool/);
    assert.match(String(noPooler({})), /needs pgbouncer/);
    assert.throws(() => noPromtool({ CI: 'true' }), /in CI no test may skip itself: apt-get install prometheus/);
    assert.throws(() => noPooler({ CI: 'true' }), /in CI no test may skip itself: apt-get install pgbouncer/);
    assert.throws(() => cannotProxy({ CI: 'true' }), /in CI no test may skip itself: apt-get install nginx/);
    assert.match(String(noBrowser({}, '/nowhere')), /needs Chromium as/);
    assert.throws(() => noBrowser({ CI: 'true' }, '/nowhere'), /itself: apt-get install chromium fonts-dejavu-core/);
    assert.throws(() => cannotTrace({ CI: 'true' }), /in CI no test may skip itself: apt-get install strace/);
    assert.throws(() => cannotMount({ CI: 'true' }), /in CI no test may skip itself: .*unshare/);
  });
});

test('no test skips itself for a reason of its own', () => {
  const allowed = /skip: (cannot(Trace|Mount|Filter|Proxy|Notify)|no(Proc|Pooler|Promtool|Browser))\(\)/;
  const files = fs.readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const name of files) {
    for (const line of fs.readFileSync(path.join(TESTS, name), 'utf8').split('\n')) {
      const skips =
        /\bskip:|\.skip\(|\.todo\(|\btodo:/.test(line) && !line.includes('skips =') && !line.includes('allowed =');
      assert.ok(!skips || allowed.test(line), `${name}: ${line.trim()}`);
    }
  }
});
