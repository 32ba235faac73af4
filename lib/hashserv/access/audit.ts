import type { LogFields, Logger } from '../../log.ts';
import type { HashSession } from './session.ts';

/** Who did what a line reports. */
interface Doer {
  readonly log: Logger;
  readonly session: HashSession;
}

/** A log line about what an administrator did, with the peer and the user it is logged in as. */
export function note({ log, session }: Doer, message: string, fields: LogFields = {}): void {
  log.info(message, { peer: session.peer.name, user: session.username ?? 'anonymous', ...fields });
}

/** The same for a refusal. */
export function noteRefusal({ log, session }: Doer, message: string, fields: LogFields): void {
  log.warn(message, { peer: session.peer.name, user: session.username ?? 'anonymous', ...fields });
}
