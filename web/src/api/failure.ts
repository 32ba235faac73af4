/**
 * Why a request has no answer. `away`: nobody answers at all. `late`: nobody answered in time. Everything else is a problem
 * that the server names (docs/http.md).
 */
export type FailureKind =
  | 'away'
  | 'late'
  | 'sign-in'
  | 'forbidden'
  | 'not-found'
  | 'invalid'
  | 'conflict'
  | 'busy'
  | 'server';

const KINDS: Readonly<Record<string, FailureKind>> = {
  unauthorized: 'sign-in',
  forbidden: 'forbidden',
  'insecure-login': 'forbidden',
  'read-only': 'forbidden',
  'not-served': 'forbidden',
  'origin-refused': 'forbidden',
  'host-refused': 'forbidden',
  'not-found': 'not-found',
  'method-not-allowed': 'not-found',
  conflict: 'conflict',
  'bad-request': 'invalid',
  invalid: 'invalid',
  'body-too-large': 'invalid',
  'unsupported-media-type': 'invalid',
  'request-timeout': 'late',
  busy: 'busy',
  unavailable: 'busy',
};

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** What an answer with an error status means. A proxy in between may answer with a page of its own. */
export function failureOf(status: number, body: unknown): Failure {
  const { type, detail } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const problem = typeof type === 'string' ? (/^urn:bakeserv:problem:([\w-]+)$/.exec(type)?.[1] ?? null) : null;
  const text = typeof detail === 'string' ? detail : `The answer was HTTP status ${status}.`;
  if (problem !== null) return new Failure(KINDS[problem] ?? 'server', text);
  if (status === 502 || status === 503) return new Failure('away', text);
  if (status === 504) return new Failure('late', text);
  if (status === 401) return new Failure('sign-in', text);
  return new Failure(status === 404 ? 'not-found' : status === 403 ? 'forbidden' : 'server', text);
}

/** What went wrong with a request that was not answered. */
export function failureWithoutAnswer(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return new Failure('late', 'The server did not answer in time.', error);
  return new Failure('away', 'The server does not answer.', error);
}
