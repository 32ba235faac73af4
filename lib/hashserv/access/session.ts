import type { Peer } from '../../asyncrpc/service.ts';
import type { HashStore, User } from '../store.ts';
import { covers, denied, storedPermissions, USER_ADMIN } from './permissions.ts';

/** No version of the user table. */
const NEVER = -1;

/** One client of the hash equivalence service: who it is and what it may do. */
export class HashSession {
  readonly peer: Peer;
  private readonly store: HashStore;
  private readonly onClose: () => void;
  private readonly onUnknownUser: (session: HashSession, name: string) => void;
  private readonly anonymous: ReadonlySet<string>;
  /** The user whose token the client gave, or whom its certificate names. */
  private login: User | null = null;
  /** The user the client acts as: the same, or the one it became since. */
  private user: User | null = null;
  private held: ReadonlySet<string>;
  private checkedVersion = 0;
  /** The connection is gone: nobody waits for what is under way. */
  gone = false;
  /** Gives up the turn of a login that waits to be checked. */
  leaveTurn: (() => void) | null = null;

  /**
   * @param anonymous what a client of this listener may do without a login
   * @param onClose called when the connection is gone
   * @param onUnknownUser called when the client's certificate names somebody who is no user
   */
  constructor(
    peer: Peer,
    store: HashStore,
    anonymous: ReadonlySet<string>,
    onClose: () => void,
    onUnknownUser: (session: HashSession, name: string) => void,
  ) {
    this.onClose = onClose;
    this.onUnknownUser = onUnknownUser;
    this.peer = peer;
    this.store = store;
    this.anonymous = anonymous;
    this.held = anonymous;
    // The user of a certificate is looked up when first something is asked.
    if (peer.user !== undefined) this.checkedVersion = NEVER;
  }

  /** Where the client is, as limits count it; null on a Unix socket. */
  get address(): string | null {
    return this.peer.address;
  }

  /** The name logged in with, or null. */
  get username(): string | null {
    return this.user?.username ?? null;
  }

  get awaitsLogin(): boolean {
    return this.anonymous.size === 0 && !this.user && this.peer.user === undefined;
  }

  /** The client gave this user's token. */
  logIn(user: User, usersVersion: number): void {
    this.login = user;
    this.become(user, usersVersion);
  }

  /** From now on the client, who is logged in, acts as this user. */
  become(user: User, usersVersion: number): void {
    this.user = user;
    this.checkedVersion = usersVersion;
    // An anonymous permission counts for a logged-in user too.
    this.held = new Set([...this.anonymous, ...storedPermissions(user.permissions)]);
  }

  can(permission: string): boolean {
    return covers(this.held, [permission]);
  }

  /** The refusal if any of the permissions is missing. `self`: users may do it to their own name. */
  check(needs: readonly string[], self: boolean): Error | null {
    if (self && this.user) return null;
    return covers(this.held, needs) ? null : denied(this.username, needs);
  }

  /** True when the user table may have changed since the login was last checked. */
  get isStale(): boolean {
    const named = this.user !== null || this.peer.user !== undefined;
    return named && this.checkedVersion !== this.store.usersVersion;
  }

  /** The client replaced a token. If it is the one it logged in with, only this client stays logged in. */
  renewed(username: string, token: string): void {
    if (this.login?.username === username) this.login = { ...this.login, token };
  }

  /**
   * Checks the login again, on an open connection: a demoted user loses rights; if the user was deleted, or the
   * token replaced, the login is no longer valid. What the certificate says then still holds.
   */
  async refresh(): Promise<void> {
    const version = this.store.usersVersion;
    const { login, user } = this;
    if (!login || !user) return this.logInByCertificate(version);
    const now = await this.store.findUser(login.username);
    // A token has a salt of its own: a user deleted and created again has another.
    if (now?.token !== login.token) return this.logOut(version);
    this.login = now;
    if (user.username === login.username) return this.become(now, version);
    // A user who may no longer act as others stops doing so.
    const actsAs = covers(new Set(storedPermissions(now.permissions)), [USER_ADMIN])
      ? await this.store.findUser(user.username)
      : null;
    if (actsAs?.id === user.id) this.become(actsAs, version);
    else await this.logOut(version);
  }

  /** The connection is gone. */
  close(): void {
    this.gone = true;
    this.leaveTurn?.();
    this.onClose();
  }

  private logOut(usersVersion: number): Promise<void> {
    this.login = null;
    this.user = null;
    this.held = this.anonymous;
    return this.logInByCertificate(usersVersion);
  }

  /** A name that is no user's leaves the client what everybody may do. */
  private async logInByCertificate(usersVersion: number): Promise<void> {
    const name = this.peer.user;
    if (name === undefined) return;
    const user = await this.store.findUser(name);
    this.checkedVersion = usersVersion;
    if (!user) return this.onUnknownUser(this, name);
    this.login = user;
    this.become(user, usersVersion);
  }
}
