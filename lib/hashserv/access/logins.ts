import type { Logins } from '../../asyncrpc/logins.ts';
import type { Logger } from '../../log.ts';
import type { HashStore } from '../store.ts';
import { noteRefusal } from './audit.ts';
import { authenticate } from './authenticate.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { HashSession } from './session.ts';

export interface LoginsOptions {
  readonly store: HashStore;
  /** That of the hash equivalence service: whoever guesses at both is slowed down at both. */
  readonly throttle: LoginThrottle;
  readonly log: Logger;
}

const NOTHING: ReadonlySet<string> = new Set();

/** The users of hash equivalence, for the clients of another service: nobody may do anything there without a login. */
export function createLogins({ store, throttle, log }: LoginsOptions): Logins {
  const onUnknownUser = (session: HashSession, name: string) =>
    noteRefusal({ log, session }, `${session.peer.namedBy ?? 'the certificate'} names no user: no rights`, { name });
  return {
    open(peer, figures, onClose) {
      const session = new HashSession(peer, store, NOTHING, onClose, onUnknownUser);
      const context = { session, store, logins: throttle, log, figures: { logins: figures } };
      const check = (needs: readonly string[], command: string, quietly: boolean) => {
        const refusal = session.check(needs, false);
        if (refusal && !quietly) noteRefusal(context, 'permission refused', { command, needs: needs.join(' ') });
        return refusal;
      };
      return {
        get username() {
          return session.username;
        },
        get awaitsLogin() {
          return session.awaitsLogin;
        },
        get isStale() {
          return session.isStale;
        },
        logIn: (username, token) => authenticate(context, { username, token }),
        refuses: (needs, command, quietly) =>
          session.isStale
            ? session.refresh().then(() => check(needs, command, quietly))
            : check(needs, command, quietly),
        close: () => session.close(),
      };
    },
  };
}
