import type { LogFields, Logger } from '../../log.ts';
import type { HashSession } from './session.ts';

/** Whose doing a line is. */
interface Doer {
  readonly log: Logger;
  readonly session: HashSession;
}

/** One line of the log about what an administrator did: with the peer, and the user it is logged in as. */
export function note({ log, session }: Doer, message: string, fields: LogFields = {}): void {
  log.info(message, { peer: session.peer.name, user: session.username ?? 'anonymous', ...fields });
}

/** The same for what was refused. */
export function noteRefusal({ log, session }: Doer, message: string, fields: LogFields): void {
  log.warn(message, { peer: session.peer.name, user: session.username ?? 'anonymous', ...fields });
}
