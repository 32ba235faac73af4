import type http from 'node:http';

/** Every kind of problem (RFC 9457): its status, and its title. docs/http.md lists exactly these (a test compares). */
export const PROBLEMS = {
  'bad-request': [400, 'The request cannot be read'],
  invalid: [422, 'The request is not allowed to be as it is'],
  unauthorized: [401, 'A login is needed'],
  forbidden: [403, 'A right is lacking'],
  'insecure-login': [403, 'A token must not come in the clear'],
  'read-only': [403, 'Nothing is written here'],
  'not-served': [403, 'That is not served here'],
  'origin-refused': [403, 'The Origin is not allowed'],
  'not-found': [404, 'There is nothing here'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  conflict: [409, 'It is there already'],
  'body-too-large': [413, 'The body is too long'],
  'unsupported-media-type': [415, 'The body must be JSON'],
  'request-timeout': [408, 'The request did not come in time'],
  'host-refused': [421, 'The Host is not one of this server'],
  'upgrade-required': [426, 'WebSocket clients are served here'],
  'headers-too-large': [431, 'The headers are too long'],
  internal: [500, 'Internal error'],
  busy: [503, 'Too much is being done'],
  storage: [503, 'The database cannot be used'],
  unavailable: [503, 'The upstream does not answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemType = keyof typeof PROBLEMS;

/** Where the kinds of problems are explained: the `type` of each is this and its name. */
const TYPES = 'urn:bakeserv:problem:';

export const PROBLEM_CONTENT = 'application/problem+json';

/** What every answer says to a browser: nothing here is a page, nothing is kept, and nothing is for the pages of others. */
export const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export function problemOf(type: ProblemType, detail: string): Problem {
  const [status, title] = PROBLEMS[type];
  return { type: `${TYPES}${type}`, title, status, detail };
}

/** Answers a request with a problem. */
export function sendProblem(
  response: http.ServerResponse,
  type: ProblemType,
  detail: string,
  headers: http.OutgoingHttpHeaders = {},
): void {
  sendJson(response, PROBLEMS[type][0], problemOf(type, detail), { ...headers, 'content-type': PROBLEM_CONTENT });
}

/** Answers a request with JSON; of a HEAD only the headers are sent. */
export function sendJson(
  response: http.ServerResponse,
  status: number,
  value: object,
  headers: http.OutgoingHttpHeaders = {},
): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    ...SAFE_HEADERS,
    ...headers,
    'content-length': Buffer.byteLength(text),
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** A problem as the whole of an answer, for a client of which no request could be read. */
export function rawProblem(type: ProblemType, detail: string): string {
  const [status, title] = PROBLEMS[type];
  const text = `${JSON.stringify(problemOf(type, detail))}\n`;
  return `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_CONTENT}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}
