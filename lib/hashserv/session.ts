import type { Peer } from '../asyncrpc/service.ts';
import { covers, denied, storedPermissions } from './permissions.ts';
import type { HashStore, User } from './store.ts';

/** One client of the hash equivalence service: who it is and what it may do. */
export class HashSession {
  readonly peer: Peer;
  private readonly store: HashStore;
  private readonly anonymous: ReadonlySet<string>;
  private user: User | null = null;
  private held: ReadonlySet<string>;
  private checkedVersion = 0;
  /** The connection is gone: nobody waits for what is under way. */
  gone = false;

  /** @param anonymous what a client of this listener may do without a login */
  constructor(peer: Peer, store: HashStore, anonymous: ReadonlySet<string>) {
    this.peer = peer;
    this.store = store;
    this.anonymous = anonymous;
    this.held = anonymous;
  }

  /** The name logged in with, or null. */
  get username(): string | null {
    return this.user?.username ?? null;
  }

  get awaitsLogin(): boolean {
    return this.anonymous.size === 0 && !this.user;
  }

  /** From here the client acts as this user. */
  become(user: User, usersVersion: number): void {
    this.user = user;
    this.checkedVersion = usersVersion;
    // An anonymous permission counts for a logged-in user too.
    this.held = new Set([...this.anonymous, ...storedPermissions(user.permissions)]);
  }

  can(permission: string): boolean {
    return covers(this.held, [permission]);
  }

  /** The refusal when any of the permissions is lacking. `self`: a user may do it to their own name. */
  check(needs: readonly string[], self: boolean): Error | null {
    if (self && this.user) return null;
    return covers(this.held, needs) ? null : denied(this.username, needs);
  }

  /** True when the user table may have changed since the login was last looked at. */
  get isStale(): boolean {
    return this.user !== null && this.checkedVersion !== this.store.usersVersion;
  }

  /** Looks at the login again: a user who was deleted or demoted loses rights on open connections. */
  async refresh(): Promise<void> {
    const version = this.store.usersVersion;
    const before = this.user;
    if (!before) return;
    const now = await this.store.findUser(before.username);
    // Deleted, or deleted and made anew by somebody: this login no longer stands.
    if (now?.id === before.id) this.become(now, version);
    else {
      this.user = null;
      this.held = this.anonymous;
    }
  }
}
