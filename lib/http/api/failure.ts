import { clientMessage, isFault } from '../../asyncrpc/faults.ts';
import { InvokeError, ProtocolError, type RefusalKind, StorageError } from '../../errors.ts';
import type { ProblemType } from '../problem.ts';

/** What stands in the way of a request to the API, as its client is told. */
export class ApiProblem extends Error {
  readonly type: ProblemType;

  constructor(type: ProblemType, detail: string) {
    super(detail);
    this.type = type;
  }
}

const REFUSALS: Readonly<Record<RefusalKind, ProblemType>> = {
  denied: 'forbidden',
  login: 'unauthorized',
  'read-only': 'read-only',
  closed: 'not-served',
  invalid: 'invalid',
  missing: 'not-found',
  exists: 'conflict',
  unavailable: 'unavailable',
  rule: 'invalid',
};

const BODY_TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/** Errors of fastify that are the client's own doing. */
const FASTIFY: Readonly<Record<string, readonly [ProblemType, string]>> = {
  [BODY_TOO_LARGE]: ['body-too-large', 'The body is too long.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'The body must be application/json.'],
  FST_ERR_CTP_EMPTY_TYPE: ['unsupported-media-type', 'The body must be application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad-request', 'The body is not as long as it says.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad-request', 'The body is no JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad-request', 'The body is empty.'],
  FST_ERR_BAD_URL: ['bad-request', 'The path cannot be read.'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad-request', 'A part of the path is too long.'],
};

export function isBodyTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === BODY_TOO_LARGE;
}

/** What a client is told of an error, and whether the log must have it. */
export function failureOf(error: unknown): {
  readonly type: ProblemType;
  readonly detail: string;
  readonly isOurs: boolean;
} {
  if (error instanceof ApiProblem) return { type: error.type, detail: error.message, isOurs: false };
  if (error instanceof InvokeError) return { type: REFUSALS[error.kind], detail: error.message, isOurs: false };
  if (error instanceof ProtocolError) return { type: 'bad-request', detail: error.message, isOurs: false };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const ofFastify = Object.hasOwn(FASTIFY, code) ? FASTIFY[code]! : null;
  if (ofFastify) return { type: ofFastify[0], detail: ofFastify[1], isOurs: false };
  const type = error instanceof StorageError ? 'storage' : 'internal';
  return { type, detail: clientMessage(error), isOurs: isFault(error) };
}
