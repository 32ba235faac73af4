import { InvokeError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { LoginFigures } from '../../meter/service-figures.ts';
import type { HashStore } from '../store.ts';
import { noteRefusal } from './audit.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { storedPermissions } from './permissions.ts';
import type { HashSession } from './session.ts';
import { verifyToken } from './tokens.ts';

/** What a login needs: the client, the users, and who slows guessing down. */
export interface LoginContext {
  readonly session: HashSession;
  readonly store: Pick<HashStore, 'findUser' | 'usersVersion'>;
  readonly logins: LoginThrottle;
  readonly log: Logger;
  /** What logins at the service came to. */
  readonly figures: { readonly logins: LoginFigures };
}

/**
 * The command `auth` of both services. Resolves to its reply.
 * @throws InvokeError when the token is wrong, after a delay
 */
export async function authenticate(context: LoginContext, { username, token }: { username: string; token: string }) {
  const { session, store, logins, figures } = context;
  const address = session.peer.address ?? 'local';
  let version = store.usersVersion;
  let user = await store.findUser(username);
  // The client is gone already, so nobody will give up this turn.
  if (session.gone) throw new InvokeError('The client hung up');
  // The turn, the check and counting a failure happen in one turn of the event loop: however many come together, no
  // more are checked.
  const turn = logins.turn(address, username);
  if (turn) {
    figures.logins.waited++;
    session.leaveTurn = turn.leave;
    await turn.come;
    session.leaveTurn = null;
    version = store.usersVersion;
    user = await store.findUser(username);
  }
  if (!verifyToken(token, user?.token ?? null)) {
    figures.logins.refused++;
    noteRefusal(context, 'login refused', { as: username });
    await logins.failed(address, username);
    throw new InvokeError(`Unable to authenticate as ${username}`, undefined, 'login');
  }
  session.logIn(user!, version);
  figures.logins.ok++;
  return { result: true, username, permissions: storedPermissions(user!.permissions).sort() };
}
