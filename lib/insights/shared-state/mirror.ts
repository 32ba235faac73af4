import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeError, reasonOf } from '../../errors.ts';
import { afterFailure, type Head, nextHop, verdictOf } from './mirror-rules.ts';

export interface MirrorLimits {
  /** Requests under way at once. */
  readonly atOnce: number;
  /** Of one request, with its answer. */
  readonly timeoutMs: number;
  /** Requests in all, those that are repeated and redirected included. */
  readonly maxRequests: number;
  /** Of all pauses that it may ask for, together. */
  readonly maxPausesMs: number;
}

/** A mirror of shared-state objects, asked with HEAD requests. */
export interface Mirror {
  /** Without user and password. */
  readonly shown: string;
  readonly requests: number;
  /** Whether one of the names is there; null where it cannot be told: no answer, or no request left. */
  has(names: readonly string[]): Promise<boolean | null>;
  /** Why it is no longer asked, or has never answered; or null. */
  readonly stopped: string | null;
  close(): void;
}

/** So many failures in a row, and it is not asked any more. */
const MAX_FAILURES = 20;
/** Answers before the answer (1xx), of one request. */
const MAX_HINTS = 10;

/** @throws InvokeError for what is not an http or https address */
export function openMirror(address: string, limits: MirrorLimits, signal?: AbortSignal): Mirror {
  const base = readMirrorAddress(address);
  const authorization = credentialsOf(base);
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: limits.atOnce }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: limits.atOnce }),
  };
  let requests = 0;
  let failures = 0;
  let pausedUntil = 0;
  let pausesMs = 0;
  let stopped: string | null = null;
  /** Why it did not answer, as long as it never did. */
  let silence: string | null = null;
  let hasAnswered = false;

  function head(url: URL): Promise<Head> {
    return new Promise((resolve, reject) => {
      const deadline = AbortSignal.timeout(limits.timeoutMs);
      const request = (url.protocol === 'https:' ? https : http).request(url, {
        method: 'HEAD',
        agent: agents[url.protocol as keyof typeof agents],
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        headers: {
          'user-agent': 'bakeserv',
          // A redirect to another server does not get them.
          ...(authorization !== null && url.origin === base.origin && { authorization }),
        },
      });
      request.once('error', (error) =>
        reject(deadline.aborted ? new Error(`no answer within ${limits.timeoutMs} ms`) : error),
      );
      let hints = 0;
      request.on('information', () => {
        if (++hints <= MAX_HINTS) return;
        // At once: its answer may be in the same packet.
        reject(new Error('gives hints, and no answer'));
        request.destroy();
      });
      request.once('response', (response) => {
        response.resume();
        response.once('error', () => {});
        const { location, 'retry-after': retryAfter } = response.headers;
        resolve({ status: response.statusCode!, location: location ?? null, retryAfter: retryAfter ?? null });
      });
      request.end();
    });
  }

  /** The answer at the end of redirects and repetitions; null where there is none. */
  async function ask(first: URL): Promise<boolean | null> {
    let url = first;
    let hops = 0;
    for (let failed = 0; ; ) {
      const wait = pausedUntil - Date.now();
      if (wait > 0) await sleep(wait, undefined, { signal });
      if (stopped !== null) return null;
      if (requests >= limits.maxRequests) return null;
      requests++;
      let why: string;
      let pauseMs: number | null;
      try {
        const answer = await head(url);
        const verdict = verdictOf(answer.status);
        if (verdict === 'there' || verdict === 'missing') {
          failures = 0;
          hasAnswered = true;
          return verdict === 'there';
        }
        if (verdict === 'redirect') {
          const next = nextHop(url, answer.location, hops++);
          if (typeof next !== 'string') {
            url = next;
            continue;
          }
          why = next;
          pauseMs = null;
        } else {
          why = `answers with status ${answer.status}`;
          pauseMs = verdict === 'refused' ? null : afterFailure(failed, answer.retryAfter, Date.now());
        }
      } catch (error) {
        signal?.throwIfAborted();
        why = `cannot be reached: ${reasonOf(error)}`;
        pauseMs = afterFailure(failed, null, Date.now());
      }
      failed++;
      silence = why;
      if (++failures >= MAX_FAILURES) stopped ??= why;
      if (pauseMs === null) return null;
      const until = Math.max(pausedUntil, Date.now() + pauseMs);
      pausesMs += until - Math.max(pausedUntil, Date.now());
      pausedUntil = until;
      if (pausesMs > limits.maxPausesMs) stopped ??= 'asks to be left alone for too long';
      if (stopped !== null) return null;
    }
  }

  return {
    shown: shownAddress(base),
    get requests() {
      return requests;
    },
    get stopped() {
      return stopped ?? (hasAnswered ? null : silence);
    },
    async has(names) {
      let answer: boolean | null = names.length > 0 ? false : null;
      for (const name of names) {
        const one = await ask(urlOf(base, name));
        if (one === true) return true;
        answer = one === null ? null : answer;
      }
      return answer;
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** @throws InvokeError */
export function readMirrorAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) {
    url.hash = '';
    url.search = '';
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return url;
  }
  throw new InvokeError('the address of a mirror must begin with http:// or https://', undefined, 'invalid');
}

/** The address as it may be shown: without user and password. */
export function shownAddress(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

function credentialsOf({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

function urlOf(base: URL, name: string): URL {
  const url = new URL(base);
  url.username = '';
  url.password = '';
  url.pathname += name.split('/').map(encodeURIComponent).join('/');
  return url;
}
