import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import { errorText } from '../errors.ts';
import type { Config } from '../settings/config.ts';
import type { ServiceName } from '../settings/listener-spec.ts';
import { type UpstreamLogin, upstreamLogin } from '../settings/upstream-login.ts';

/** What came of new settings. */
export interface TakenOver {
  /** What is in force now and was not before. */
  readonly taken: readonly string[];
  /** What waits for the next start. */
  readonly later: readonly string[];
  /** What could not be taken over. */
  readonly faults: readonly string[];
}

/** A part of a running server that takes over its settings. */
export interface Follower {
  /**
   * Reads what new settings name, and changes nothing yet. Null when they say the same.
   * @throws ConfigError when they are wrong: then no follower changes anything
   */
  prepare(config: Config): Change | null | Promise<Change | null>;
}

/** What a follower is ready to do. */
export interface Change {
  /** What is taken over, in a few words; null when it is nothing to speak of. */
  readonly what: string | null;
  /** What of it waits for the next start. */
  readonly later?: readonly string[];
  apply(): void | Promise<void>;
}

/**
 * Has all followers take over settings, or none of them.
 * @throws ConfigError when one finds them wrong
 */
export async function followAll(followers: readonly Follower[], config: Config): Promise<TakenOver> {
  const changes: Change[] = [];
  for (const follower of followers) {
    const change = await follower.prepare(config);
    if (change) changes.push(change);
  }
  const taken: string[] = [];
  const faults: string[] = [];
  for (const { what, apply } of changes) {
    try {
      await apply();
      if (what !== null) taken.push(what);
    } catch (error) {
      faults.push(`${what ?? 'settings'}: ${errorText(error)}`);
    }
  }
  return { taken, later: changes.flatMap(({ later = [] }) => later), faults };
}

/**
 * Follows what clients may do without a login, where their listener says nothing of it.
 * @param use lets new clients do that from now on
 */
export function followAnonymous(use: (permissions: Config['anonymousPermissions']) => void): Follower {
  return {
    prepare: ({ anonymousPermissions }) => ({
      // The listeners say so.
      what: null,
      apply: () => use(anonymousPermissions),
    }),
  };
}

/**
 * Follows who a server is at the upstream it was started with; the token may have changed in its file, or in netrc.
 * @param use logs in like this from now on
 */
export function followLogin(
  service: ServiceName,
  address: Address,
  login: UpstreamLogin | null,
  use: (login: UpstreamLogin | null) => void,
): Follower {
  let known = login;
  return {
    async prepare(config) {
      const now = config[service]?.upstream;
      // A login for another upstream must not be shown to this one.
      if (!now || formatAddress(now) !== formatAddress(address)) return null;
      const found = await upstreamLogin(config.upstream, service, address);
      if (found?.username === known?.username && found?.token === known?.token) return null;
      return {
        what: `the login at ${formatAddress(address)}`,
        apply() {
          known = found;
          use(found);
        },
      };
    },
  };
}

/**
 * Follows the administrator that a server was started with. One that is no longer named stays, as at a start.
 * @param ensure creates or resets the user
 */
export function followAdmin(
  started: Config['admin'],
  ensure: (admin: NonNullable<Config['admin']>) => Promise<void>,
): Follower {
  let known = started;
  return {
    prepare({ admin }) {
      if (!admin || (admin.username === known?.username && admin.password === known.password)) return null;
      return {
        what: `the password of ${admin.username}`,
        async apply() {
          await ensure(admin);
          known = admin;
        },
      };
    },
  };
}
