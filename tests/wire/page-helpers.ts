import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import { request as ask } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

/** An answer, and of a problem its kind. */
export interface Seen {
  readonly status: number;
  readonly problem: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly body: any;
  readonly headers: http.IncomingHttpHeaders;
}

/** A browser, as far as a server sees one: it keeps the cookie it is given, and says where its requests come from. */
export class Visitor {
  readonly origin: string;
  /** `NAME=VALUE`; empty without one. */
  cookie = '';
  private readonly options: https.RequestOptions;

  /** @param options of TLS, and headers that come with each request */
  constructor(origin: string, options: https.RequestOptions = {}) {
    this.origin = origin;
    this.options = options;
  }

  async ask(method: string, path: string, body?: unknown, headers: http.OutgoingHttpHeaders = {}): Promise<Seen> {
    const { protocol, hostname, port } = new URL(this.origin);
    const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const all = {
      'sec-fetch-site': 'same-origin',
      ...(method !== 'GET' && { origin: this.origin }),
      ...(this.cookie !== '' && { cookie: this.cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      'content-length': Buffer.byteLength(sent),
      ...this.options.headers,
      ...headers,
    };
    // A header that is undefined would be sent as that word.
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name as keyof typeof all];
    const make = protocol === 'https:' ? https.request : ask;
    const request = make({
      ...this.options,
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: path.startsWith('/api') || path === '/' ? path : `/api/v1${path}`,
      method,
      headers: all,
      agent: false,
    });
    request.end(sent);
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const said = await text(answer);
    const [given] = answer.headers['set-cookie'] ?? [];
    if (given !== undefined) this.cookie = /Max-Age=0/.test(given) ? '' : given.split(';', 1)[0]!;
    const isJson = /json/.test(answer.headers['content-type'] ?? '');
    const parsed = isJson && said !== '' ? JSON.parse(said) : said;
    const isProblem = answer.headers['content-type']?.startsWith('application/problem+json');
    return {
      status: answer.statusCode!,
      body: parsed,
      problem: isProblem ? parsed.type.slice('urn:bakeserv:problem:'.length) : null,
      headers: answer.headers,
    };
  }

  /** Signs in, which must succeed. */
  async signIn(username: string, token: string): Promise<Seen> {
    const answer = await this.ask('POST', '/session', { username, token });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer;
  }

  /** Who the server takes it for. */
  async user(): Promise<string | null> {
    const { status, body } = await this.ask('GET', '/session');
    assert.equal(status, 200, JSON.stringify(body));
    return body.user;
  }
}
