import { LoopError } from '../errors.ts';
import { LimitError, type LimitHits, noHits } from './limits.ts';

/** Why clients are turned away before they are served, beside limits. */
export type Rejection = 'protocol' | 'loop' | 'origin' | 'not-a-websocket' | 'transport';
export const REJECTIONS: readonly Rejection[] = ['protocol', 'loop', 'origin', 'not-a-websocket', 'transport'];

/** What a listener counts. Bytes are those of the protocol, without what the transport adds. */
export class ListenerFigures {
  /** Connected now, and since the start. */
  open = 0;
  accepted = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** The certificate in use, where TLS is spoken. */
  certificate: { readonly expires: Date } | null = null;
}

/** Which limit stands behind the code of an error: probes of a dead peer, and a frame that ws refuses. */
const LIMITS_BY_CODE: ReadonlyMap<string, 'keepAliveMs' | 'maxMessageBytes'> = new Map([
  ['ETIMEDOUT', 'keepAliveMs'],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'maxMessageBytes'],
]);

/** What is counted of all connections together. */
export class HubFigures {
  /** By address. */
  readonly listeners = new Map<string, ListenerFigures>();
  /** Of clients that came by none of these. */
  readonly others = new ListenerFigures();
  /** How often each limit was met. */
  readonly hits: LimitHits = noHits();
  readonly rejected: Record<Rejection, number>;
  /** Requests in the plain form that name no command of any service. */
  unknownRequests = 0;

  constructor() {
    this.rejected = Object.fromEntries(REJECTIONS.map((why) => [why, 0])) as Record<Rejection, number>;
  }

  /** Counts the limit behind the error of a stream, if one is. */
  noteLost(error: NodeJS.ErrnoException): void {
    const limit = LIMITS_BY_CODE.get(error.code ?? '');
    if (limit) this.hits[limit]++;
  }

  /** Counts what an error that ends a connection says of limits, or of loops. */
  note(error: unknown): void {
    if (error instanceof LimitError) this.hits[error.limit]++;
    else if (error instanceof LoopError) this.rejected.loop++;
  }
}
