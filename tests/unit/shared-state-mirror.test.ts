import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { atOnce } from '../../lib/insights/in-turns.ts';
import {
  type MirrorLimits,
  openMirror,
  readMirrorAddress,
  shownAddress,
} from '../../lib/insights/shared-state/mirror.ts';
import { afterFailure, nextHop, verdictOf } from '../../lib/insights/shared-state/mirror-rules.ts';
import { surveyMirror } from '../../lib/insights/shared-state/on-mirror.ts';
import { Survey } from '../../lib/insights/shared-state/survey.ts';

const NOW = 1_790_000_000;
const LIMITS: MirrorLimits = { atOnce: 4, timeoutMs: 30_000, maxRequests: 1000, maxPausesMs: 60_000 };
const hash = (number: number) => number.toString(16).padStart(8, '0').repeat(8);

/** A web server that answers as `answer` says. */
async function serve(t: TestContext, answer: http.RequestListener) {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { requests, port, address: `http://127.0.0.1:${port}/pub/` };
}

function open(t: TestContext, address: string, limits: Partial<MirrorLimits> = {}) {
  const mirror = openMirror(address, { ...LIMITS, ...limits });
  t.after(() => mirror.close());
  return mirror;
}

describe('a mirror of shared state', () => {
  test('is asked for each name until one is there', async (t) => {
    const { requests, address } = await serve(t, (request, response) => {
      response.statusCode = request.url === '/pub/00/b%3Ac%2B%23' ? 200 : 404;
      response.end();
    });
    const mirror = open(t, address);
    assert.equal(await mirror.has(['00/a', '00/b:c+#', '00/d']), true);
    assert.equal(await mirror.has(['00/a', '00/d']), false);
    assert.deepEqual(requests, ['HEAD /pub/00/a', 'HEAD /pub/00/b%3Ac%2B%23', 'HEAD /pub/00/a', 'HEAD /pub/00/d']);
    assert.equal(mirror.requests, 4);
  });

  test('that asks to be waited for again and again is left alone', async (t) => {
    const { requests, address } = await serve(t, (_, response) => {
      response.writeHead(429, { 'retry-after': '1' }).end();
    });
    const mirror = open(t, address, { maxPausesMs: 999 });
    assert.equal(await mirror.has(['00/a']), null);
    assert.equal(await mirror.has(['00/b']), null);
    assert.deepEqual([requests.length, mirror.stopped], [1, 'asks to be left alone for too long']);
  });

  test('that gives hint after hint before its answer is not listened to', async (t) => {
    const { address } = await serve(t, (_, response) => {
      for (let i = 0; i < 100; i++) response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end();
    });
    const mirror = open(t, address, { maxPausesMs: 0 });
    assert.equal(await mirror.has(['00/a']), null);
    assert.equal(mirror.requests, 1);
  });

  test('gets user and password with the request, they are shown nowhere, and no other server gets them', async (t) => {
    const authorizations: (string | undefined)[] = [];
    const other = await serve(t, (request, response) => {
      authorizations.push(request.headers.authorization);
      response.end();
    });
    const { address } = await serve(t, (request, response) => {
      authorizations.push(request.headers.authorization);
      response.writeHead(302, { location: `http://me:secret@127.0.0.1:${other.port}/x` }).end();
    });
    const mirror = open(t, address.replace('//', '//user:p%40ss@'));
    assert.equal(await mirror.has(['a']), true);
    assert.deepEqual(authorizations, [`Basic ${Buffer.from('user:p@ss').toString('base64')}`, undefined]);
    assert.equal(mirror.shown, address);
    assert.equal(shownAddress(readMirrorAddress('https://u:p@h/a?token=x#y')), 'https://h/a/');
  });

  test('that is busy is asked again when it says, and one that stays so is not known', async (t) => {
    let busy = 1;
    const { requests, address } = await serve(t, (_, response) => {
      if (busy-- > 0) response.writeHead(503, { 'retry-after': '0' });
      else response.statusCode = 404;
      response.end();
    });
    const mirror = open(t, address);
    assert.equal(await mirror.has(['a']), false);
    assert.equal(requests.length, 2);
    busy = 100;
    assert.equal(await mirror.has(['a']), null);
    assert.equal(requests.length, 5, 'three times in all');
  });

  test('that refuses everything is not asked for long, and says why', async (t) => {
    const { requests, address } = await serve(t, (_, response) => void response.writeHead(403).end());
    const mirror = open(t, address);
    for (let number = 0; number < 30; number++) assert.equal(await mirror.has([String(number)]), null);
    assert.equal(requests.length, 20);
    assert.equal(mirror.stopped, 'answers with status 403');
  });

  test('that does not answer is given up in time', async (t) => {
    const { address } = await serve(t, () => {});
    const mirror = open(t, address, { timeoutMs: 20, maxRequests: 1 });
    assert.equal(await mirror.has(['a']), null);
    assert.equal(await mirror.has(['a']), null, 'and there are no more requests than were allowed');
    assert.equal(mirror.requests, 1);
    assert.equal(mirror.stopped, 'cannot be reached: no answer within 20 ms');
  });

  test('at a wrong address is told of as one that cannot be reached, not as one that was asked too little', async (t) => {
    const survey = new Survey(NOW, 0, 1000);
    survey.addUnihashes([{ PN: 'zlib', PV: '1', PR: 'r0', task: 'package', created: null, unihash: hash(1) }]);
    const mirror = open(t, 'http://127.0.0.1:1/', { maxRequests: 1 });
    const figures = await surveyMirror(survey, mirror, { rule: { templates: [], pkgarchs: ['x'] }, atOnce: 1 });
    assert.deepEqual([figures.unanswered, figures.stopped], [1, 'cannot be reached: connection refused']);
  });

  test('is compared with a server by a few requests at once, new unihashes first, and answers are remembered', async (t) => {
    let [under, most] = [0, 0];
    const { requests, address } = await serve(t, (request, response) => {
      most = Math.max(most, ++under);
      setImmediate(() => {
        under--;
        response.statusCode = request.url!.includes(hash(1)) ? 200 : 404;
        response.end();
      });
    });
    const surveyAt = (now: number) => {
      const survey = new Survey(now, 0, 1000);
      const fields = { PN: 'zlib', PV: '1', PR: 'r0', task: 'package', created: null };
      survey.addUnihashes([1, 2, 3, 4, 5, 6].map((number) => ({ ...fields, unihash: hash(number) })));
      survey.addUnihashes([{ ...fields, PV: null, unihash: hash(9) }]);
      return survey;
    };
    const run = { rule: { templates: [], pkgarchs: ['x'] }, atOnce: 2 };
    const first = surveyAt(NOW);
    const mirror = open(t, address, { maxRequests: 4 });
    assert.deepEqual(await surveyMirror(first, mirror, run), {
      ...{ requests: 4, asked: 4, remembered: 0, nameless: 1, unanswered: 2, stopped: null },
    });
    assert.ok(most <= 2);
    const { present, missing, unknown } = atOnce(first.totals());
    assert.deepEqual([present, missing, unknown], [1, 3, 3]);

    const second = surveyAt(NOW + 500);
    for (let number = 0; number < 4; number++)
      for (const field of ['askedAt', 'missingSince'] as const)
        second.known.set(number, field, first.known.get(number, field));
    second.known.set(1, 'askedAt', NOW - 600);
    requests.length = 0;
    const figures = await surveyMirror(second, open(t, address, { maxRequests: 2 }), { ...run, atOnce: 1 });
    assert.deepEqual([figures.asked, figures.remembered, figures.unanswered], [2, 3, 1]);
    assert.deepEqual(
      requests.map((request) => /[0-9a-f]{64}/.exec(request)![0]),
      [hash(5), hash(6)],
      'the old answer comes last',
    );
    assert.equal(second.state(1), 'unknown', 'what was found out too long ago');
    assert.equal(second.known.get(1, 'missingSince'), NOW, 'but since when is not forgotten');
  });
});

describe('what answers of a mirror mean', () => {
  test('a redirect is followed to http and https alone, and never away from https', () => {
    const from = new URL('http://a/x');
    assert.equal(String(nextHop(from, 'https://u:p@b/y', 0)), 'https://b/y');
    assert.equal(String(nextHop(from, '../z', 0)), 'http://a/z');
    assert.match(String(nextHop(from, 'file:///etc/passwd', 0)), /which is not followed/);
    assert.match(String(nextHop(new URL('https://a/x'), 'http://a/x', 0)), /which is not followed/);
    assert.match(String(nextHop(from, '/y', 3)), /more than 3 times/);
    assert.match(String(nextHop(from, null, 0)), /nowhere/);
  });

  test('only a missing object is one', () => {
    assert.deepEqual([200, 206, 404, 410].map(verdictOf), ['there', 'there', 'missing', 'missing']);
    assert.deepEqual([301, 308, 429, 503, 500].map(verdictOf), ['redirect', 'redirect', 'busy', 'busy', 'busy']);
    assert.deepEqual([400, 401, 403, 405, 501].map(verdictOf), Array(5).fill('refused'));
  });

  test('a failure is repeated twice, after what the mirror asks for, but for no longer than a minute', () => {
    assert.deepEqual(
      [0, 1, 2].map((failed) => afterFailure(failed, null, 0)),
      [500, 1000, null],
    );
    assert.equal(afterFailure(0, '7', 0), 7000);
    assert.equal(afterFailure(0, '3600', 0), null);
    assert.equal(afterFailure(0, 'Thu, 01 Jan 1970 00:00:09 GMT', 2000), 7000);
    assert.equal(afterFailure(0, 'soon', 0), 500);
  });

  test('other addresses are none', () => {
    for (const address of ['file:///srv/sstate', 'ftp://a/', '/srv/sstate', 'http:'])
      assert.throws(() => readMirrorAddress(address), /must begin with http/);
  });
});
