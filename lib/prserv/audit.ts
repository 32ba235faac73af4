import type { Peer } from '../asyncrpc/service.ts';
import type { LogFields, Logger } from '../log.ts';

/** Who did what a line reports; PR clients have no logins. */
interface Doer {
  readonly log: Logger;
  readonly peer: Peer;
}

/** A log line about what a client did to the table itself. */
export function note({ log, peer }: Doer, message: string, fields: LogFields): void {
  log.info(message, { peer: peer.name, ...fields });
}

/** The same for a refusal. */
export function noteRefusal({ log, peer }: Doer, message: string, fields: LogFields): void {
  log.warn(message, { peer: peer.name, ...fields });
}
