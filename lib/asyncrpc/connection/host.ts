import type { Logger } from '../../log.ts';
import type { HubFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import type { Carrier, Peer, Service } from '../service.ts';
import type { Holding } from '../shares/account.ts';
import type { Inbox } from './inbox.ts';
import type { Output } from './output.ts';

/** What a conversation needs of the connection that carries it. */
export interface ConversationHost {
  readonly peer: Peer;
  readonly limits: Limits;
  /** Of all connections. */
  readonly figures: HubFigures;
  readonly log: Logger;
  readonly carrier: Carrier;
  readonly services: ReadonlyMap<string, Service>;
  readonly inbox: Inbox;
  readonly output: Output;
  readonly holding: Holding;
  /** Nothing more is said. */
  readonly over: boolean;
  /** Goes on with what can be done now. */
  pump(): void;
  /** The handshake is over. */
  onReady(): void;
  /** Tells the client what was wrong and closes. */
  fail(error: Error, what?: string): void;
  /** Sends what is written, then closes. */
  close(): void;
}
