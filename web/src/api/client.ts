import { Failure, failureOf, failureWithoutAnswer } from './failure.ts';

/** What a parameter behind the question mark may be; null and undefined leave it out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  readonly body?: object;
  /** Of whoever no longer wants the answer. */
  readonly signal?: AbortSignal;
  /** Where an answer takes longer than others. */
  readonly timeoutMs?: number;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Asks the server. Throws Failure; whoever aborts it gets the signal's own error. */
export interface Api {
  ask<T>(method: Method, path: readonly string[], options?: RequestOptions): Promise<T>;
}

interface Outside {
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly timeoutMs: number;
  /** Told after each request whether somebody answered. */
  onReach(isAway: boolean): void;
}

const BASE = 'api/v1';

/** The address of a request. It has no slash in front: a proxy may have put the page below a path. */
export function urlOf(path: readonly string[], query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value != null);
  const search = new URLSearchParams(
    Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
  ).toString();
  const parts = [BASE, ...path.map((each) => encodeURIComponent(each.toWellFormed()))];
  return parts.join('/') + (search && `?${search}`);
}

export function createApi({ fetch, timeoutMs: usualMs, onReach }: Outside): Api {
  return {
    async ask<T>(method: Method, path: readonly string[], options: RequestOptions = {}): Promise<T> {
      const { query, body, signal, timeoutMs = usualMs } = options;
      const late = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(urlOf(path, query), {
          method,
          // The session is a cookie, which goes to where the page came from and nowhere else.
          credentials: 'same-origin',
          redirect: 'error',
          signal: signal ? AbortSignal.any([signal, late]) : late,
          headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
          ...(body && { body: JSON.stringify(body) }),
        });
        const answer = await read(response);
        onReach(false);
        return answer as T;
      } catch (error) {
        signal?.throwIfAborted();
        const failure = failureWithoutAnswer(error);
        onReach(failure.kind === 'away');
        throw failure;
      }
    },
  };
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '');
  let body: unknown = null;
  try {
    if (isJson && text !== '') body = JSON.parse(text);
  } catch (error) {
    // An answer that broke off after its headers: the connection is gone.
    throw new Failure('away', 'The answer of the server broke off.', error);
  }
  if (!response.ok) throw failureOf(response.status, body);
  if (!isJson && text !== '') throw new Failure('server', 'What answered is not bakeserv.');
  return body;
}
