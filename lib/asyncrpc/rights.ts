/** How the commands of a protocol are answered: `none` refuses all of them but those that are always answered. */
export type Access = 'read-write' | 'read-only' | 'none';

/** What the clients of a listener may do: less than the services would allow, or what they ask without a login. */
export interface Rights {
  /** The protocols that are spoken there; others are unknown to it. Null: every one that is served. */
  readonly protocols: readonly string[] | null;
  /** By protocol; one that is not named is read-write. */
  readonly access: Readonly<Record<string, Access>>;
  /** What a client may do without a login, in the words of the services; null: as they have it by themselves. */
  readonly anonymous: readonly string[] | null;
  /** False: no page is shown there, and nobody signs in on one; absent: over HTTP there is one. */
  readonly page?: false;
  /** The protocols, of those that can be used without, whose clients must log in; absent: none. */
  readonly logins?: readonly string[];
}

/** What clients of a listener may do that come from now on: it changes while the listener is open. */
export interface HeldRights {
  readonly current: Rights;
}

/** As without any word about it. */
export const ALL_RIGHTS: Rights = { protocols: null, access: {}, anonymous: null };
