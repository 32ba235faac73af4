import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { fakeUpstream, type Mode, unihashOf } from './fake-upstream.ts';
import { recorder, site, stream } from './upstream-helpers.ts';

const LIMIT_S = 0.3;
/** The limit, time for a busy machine, and the two tries a breaker allows. */
const IN_TIME_MS = 4000;

const BAD: readonly Mode[] = [
  'refused',
  'hanging after connect',
  'hanging mid-stream',
  'closing mid-reply',
  'sending garbage',
  'sending 40-digit unihashes and malformed PR values',
  "sending another task's answer",
  'sending a line without end',
  'answering with errors',
  'answering with errors without a text',
];

const own = (n: number) => String(n).repeat(64);

for (const mode of BAD) {
  test(`with an upstream ${mode}, every client gets its answers in time and nothing wrong is kept`, async (t) => {
    const log = recorder();
    const fake = await fakeUpstream(t, mode);
    const server = await site(t, fake.address, { 'upstream-timeout': LIMIT_S }, { log });
    const [messages, all, outhash, streaming, existing, reporting, pr] = [
      server.hash(),
      server.hash(),
      server.hash(),
      server.hash(),
      server.hash(),
      server.hash(),
      server.pr(),
    ];
    const lines = Array.from({ length: 20 }, (_, i) => `m a${i}`);
    const report = { method: 'm', taskhash: 'a-reported', outhash: 'a-output', unihash: own(1) };
    const known = { version: 'known-1-r0', pkgarch: 'core', checksum: 'c' };
    await pr.ask('import-one', { ...known, value: '3' });
    const answers = await inTime({
      get: messages.ask('get', { method: 'm', taskhash: 'a0' }),
      all: all.ask('get', { method: 'm', taskhash: 'a0', all: true }),
      outhash: outhash.ask('get-outhash', { method: 'm', outhash: 'a0', taskhash: 'x' }),
      streamed: stream(streaming, 'get-stream', lines),
      exists: stream(existing, 'exists-stream', [own(2), own(3)]),
      report: reporting.ask('report', report),
    });
    assert.deepEqual(answers, {
      get: null,
      all: null,
      outhash: null,
      streamed: lines.map(() => ''),
      exists: ['false', 'false'],
      report: { taskhash: 'a-reported', method: 'm', unihash: own(1) },
    });
    const fresh = { version: 'fresh-1-r0', pkgarch: 'core', checksum: 'c' };
    const [prTest, prMax, prKnown] = [server.pr(), server.pr(), server.pr()];
    const prAnswers = await inTime({
      test: prTest.ask('test-pr', { ...fresh, history: false }),
      max: prMax.ask('max-package-pr', { version: 'fresh-1-r0', pkgarch: 'core' }),
      known: prKnown.ask('get-pr', { ...known, history: false }),
      fresh: pr.ask('get-pr', { ...fresh, history: false }),
    });
    assert.deepEqual(
      { ...prAnswers, fresh: Object.keys(prAnswers.fresh as object) },
      {
        test: { value: null },
        max: { value: null },
        known: { value: '3' },
        fresh: ['invoke-error'],
      },
    );

    // What was stored: the report and the import, nothing of the upstream's.
    await messages.ask('backfill-wait', null);
    assert.deepEqual(await messages.ask('get-db-usage', {}), {
      usage: {
        unihashes_v3: { rows: 1 },
        outhashes_v2: { rows: 1 },
        users: { rows: 0 },
        config: { rows: 0 },
      },
    });
    const exported = (await pr.ask('export', {
      version: null,
      pkgarch: null,
      checksum: null,
      colinfo: false,
      history: true,
    })) as {
      datainfo: Json[];
    };
    assert.deepEqual(exported.datainfo, [{ ...known, value: '3' }]);
    assert(log.lines.length > 0, 'the log says that something is wrong');

    // It comes back: the same connections, and everything is asked of it again.
    await fake.become('right');
    const back = performance.now();
    const asked = Array.from({ length: 3 }, () => false);
    for (let i = 0; asked.includes(false); i++) {
      assert(performance.now() - back < 5000, `asked again within 5 s: get, get-stream, get-pr ${asked}`);
      const task = { method: 'm', taskhash: `a-back${i}` };
      asked[0] ||= (await messages.ask('get', task)) !== null;
      asked[1] ||= (await stream(streaming, 'get-stream', [`m a-stream${i}`]))[0] === unihashOf(`m a-stream${i}`);
      asked[2] ||= 'value' in ((await pr.ask('get-pr', { ...fresh, history: false })) as object);
    }
    assert.deepEqual(await pr.ask('get-pr', { ...fresh, history: false }), { value: '7.0' });
    for (const client of [all, outhash, existing, reporting, prTest, prMax, prKnown])
      assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });
}

/** Waits for every answer, no longer than one may take. */
async function inTime<T extends Record<string, Promise<unknown>>>(
  answers: T,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const entries = Object.entries(answers).map(async ([name, answer]) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${name}: no answer within ${IN_TIME_MS} ms`)), IN_TIME_MS);
    });
    const value = await Promise.race([answer, late]);
    clearTimeout(timer);
    return [name, value];
  });
  return Object.fromEntries(await Promise.all(entries));
}
