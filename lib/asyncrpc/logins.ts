import type { LoginFigures } from '../meter/service-figures.ts';
import type { DispatchClient } from './command-row.ts';
import type { Peer } from './service.ts';
import type { Json } from './wire/messages.ts';

/** The login of one client, for a service that has no users of its own. */
export interface ClientLogin extends DispatchClient {
  /** The name logged in with, or null. */
  readonly username: string | null;
  /**
   * Logs in, as the command `auth` has it. Resolves to its reply.
   * @throws InvokeError when the token is wrong, after a delay
   */
  logIn(username: string, token: string): Promise<Json>;
  /** The refusal, which is logged unless `quietly`, if any of the permissions is missing. */
  refuses(needs: readonly string[], command: string, quietly: boolean): Error | null | Promise<Error | null>;
}

/** The users of the service that has them, for another. Without a login their clients may do nothing. */
export interface Logins {
  /**
   * @param figures of the other service
   * @param onClose called when the connection is gone
   */
  open(peer: Peer, figures: LoginFigures, onClose: () => void): ClientLogin;
}
