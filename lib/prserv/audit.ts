import type { ClientLogin } from '../asyncrpc/logins.ts';
import type { Peer } from '../asyncrpc/service.ts';
import type { LogFields, Logger } from '../log.ts';

/** Who did what a line reports; only where a listener asks for it have PR clients a login. */
interface Doer {
  readonly log: Logger;
  readonly peer: Peer;
  readonly login: ClientLogin | null;
}

/** A log line about what a client did to the table itself. */
export function note({ log, peer, login }: Doer, message: string, fields: LogFields): void {
  log.info(message, { peer: peer.name, ...(login && { user: login.username ?? 'anonymous' }), ...fields });
}

/** The refusal of a client without a login. */
export function noteRefusal({ log, peer }: Doer, message: string, fields: LogFields): void {
  log.warn(message, { peer: peer.name, ...fields });
}
