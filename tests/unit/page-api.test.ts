import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createApi, urlOf } from '../../web/src/api/client.ts';
import type { Failure, FailureKind } from '../../web/src/api/failure.ts';

type Answer = (url: string, init: RequestInit) => Promise<Response>;

/** An API whose server answers like this, and what was noted about reaching it. */
function apiWith(fetch: Answer, timeoutMs = 30_000) {
  const reached: boolean[] = [];
  return { api: createApi({ fetch, timeoutMs, onReach: (isAway) => reached.push(isAway) }), reached };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json; charset=utf-8' } });
const problem = (type: string, status: number, detail = 'No.') =>
  new Response(JSON.stringify({ type: `urn:bakeserv:problem:${type}`, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });

async function failureOf(fetch: Answer, timeoutMs?: number): Promise<Failure & { reached: boolean[] }> {
  const { api, reached } = apiWith(fetch, timeoutMs);
  try {
    await api.ask('GET', ['status']);
  } catch (error) {
    return Object.assign(error as Failure, { reached });
  }
  throw new Error('it was answered');
}

describe('requests of the page', () => {
  test('escape each part of a path and leave out what is not given', () => {
    assert.equal(urlOf(['packages', 'versions', 'a/b?c']), 'api/v1/packages/versions/a%2Fb%3Fc');
    assert.equal(urlOf(['find'], { text: 'a&b', limit: 5, all: null, x: undefined }), 'api/v1/find?text=a%26b&limit=5');
  });

  test('go below the path of the page, so that a proxy may put it anywhere', () => {
    assert.doesNotMatch(urlOf(['status']), /^\//);
  });

  test('send a body as JSON and give back what is answered', async () => {
    const sent: RequestInit[] = [];
    const { api, reached } = apiWith(async (_, init) => {
      sent.push(init);
      return json({ id: 4 }, 202);
    });
    assert.deepEqual(await api.ask('POST', ['jobs'], { body: { kind: 'gc' } }), { id: 4 });
    assert.equal(sent[0]!.body, '{"kind":"gc"}');
    assert.equal(sent[0]!.credentials, 'same-origin');
    assert.deepEqual(sent[0]!.headers, { accept: 'application/json', 'content-type': 'application/json' });
    assert.deepEqual(reached, [false]);
  });

  test('fail by the name of the problem, in the words of the server', async () => {
    const kinds: readonly [type: string, status: number, kind: FailureKind][] = [
      ['unauthorized', 401, 'sign-in'],
      ['forbidden', 403, 'forbidden'],
      ['not-served', 403, 'forbidden'],
      ['not-found', 404, 'not-found'],
      ['invalid', 422, 'invalid'],
      ['conflict', 409, 'conflict'],
      ['busy', 503, 'busy'],
      ['storage', 503, 'server'],
      ['something-new', 500, 'server'],
    ];
    for (const [type, status, kind] of kinds) {
      const failure = await failureOf(async () => problem(type, status, `It is ${type}.`));
      assert.equal(failure.kind, kind, type);
      assert.equal(failure.message, `It is ${type}.`);
      assert.deepEqual(failure.reached, [false], 'somebody answered');
    }
  });

  test('find the server away when nobody answers, or only a proxy does', async () => {
    const refused = await failureOf(() => Promise.reject(new TypeError('Failed to fetch')));
    assert.equal(refused.kind, 'away');
    assert.deepEqual(refused.reached, [true]);
    const proxy = await failureOf(async () => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
    assert.equal(proxy.kind, 'away');
    const cutOff = await failureOf(
      async () => new Response('{"version":', { headers: { 'content-type': 'application/json' } }),
    );
    assert.equal(cutOff.kind, 'away');
  });

  test('are late when nothing comes in time', async () => {
    const failure = await failureOf((_, { signal }) => {
      return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
    }, 1);
    assert.equal(failure.kind, 'late');
    assert.deepEqual(failure.reached, [false], 'it may be there, and busy');
  });

  test('take no other page for an answer', async () => {
    const failure = await failureOf(
      async () => new Response('<h1>Log in</h1>', { headers: { 'content-type': 'text/html' } }),
    );
    assert.equal(failure.kind, 'server');
  });

  test('whose answer nobody wants any more are no failure of the server', async () => {
    const gone = new AbortController();
    const { api, reached } = apiWith((_, { signal }) => {
      return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
    });
    const asked = api.ask('GET', ['status'], { signal: gone.signal });
    gone.abort();
    await assert.rejects(asked, { name: 'AbortError' });
    assert.deepEqual(reached, []);
  });
});
