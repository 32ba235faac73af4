import type { Logger } from '../../log.ts';
import type { HubFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import type { Carrier, Service } from '../service.ts';
import type { Account } from '../shares/account.ts';
import type { Turns } from '../shares/turns.ts';
import type { Desk } from './blocks.ts';

/** What a connection needs from the server around it. */
export interface ConnectionContext {
  readonly services: ReadonlyMap<string, Service>;
  readonly limits: Limits;
  readonly log: Logger;
  readonly carrier: Carrier;
  readonly account: Account;
  readonly turns: Turns;
  /** Of all connections. */
  readonly desk: Desk;
  readonly figures: HubFigures;
  /** Called once, when the handshake is complete. */
  readonly onReady: () => void;
  /** Called once, when the connection is gone. */
  readonly onClose: () => void;
}
