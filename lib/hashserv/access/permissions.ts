import { ConfigError, InvokeError } from '../../errors.ts';

export const READ = '@read';
export const REPORT = '@report';
export const DB_ADMIN = '@db-admin';
export const USER_ADMIN = '@user-admin';
export const ALL = '@all';
const NONE = '@none';

/** Every permission, sorted. */
export const ALL_PERMISSIONS: readonly string[] = [ALL, DB_ADMIN, READ, REPORT, USER_ADMIN];

/** What BitBake lets an anonymous client do: everything but managing users. */
export const LOCAL_ANONYMOUS: readonly string[] = [READ, REPORT, DB_ADMIN];
/** What we let an anonymous client on another machine do. */
export const REMOTE_ANONYMOUS: readonly string[] = [READ, REPORT];

/**
 * Permissions from the wire, sorted and without `@none`.
 * @throws InvokeError `Unexpected type for permissions` or `Unknown permissions @x`
 */
export function parsePermissions(permissions: unknown): string[] {
  if (!Array.isArray(permissions) || permissions.some((each) => typeof each !== 'string')) {
    throw new InvokeError('Unexpected type for permissions', undefined, 'invalid');
  }
  const unknown = unknownPermissions(permissions);
  if (unknown.length > 0)
    throw new InvokeError(`Unknown permissions ${unknown.join(', ').slice(0, 256)}`, undefined, 'invalid');
  return [...new Set(permissions)].filter((each) => each !== NONE).sort();
}

/**
 * The anonymous permissions a server was started with. The caller adds where they were set.
 * @throws ConfigError for an unknown one, and for @user-admin and @all: user management is never open to everyone
 */
export function parseAnonymousPermissions(permissions: readonly string[]): readonly string[] {
  const unknown = unknownPermissions(permissions);
  if (unknown.length > 0) {
    throw new ConfigError(
      `unknown permission ${unknown.join(', ')}; the permissions are ${READ}, ${REPORT}, ${DB_ADMIN}, ${NONE}`,
    );
  }
  const refused = permissions.find((each) => each === USER_ADMIN || each === ALL);
  if (refused) throw new ConfigError(`${refused} cannot be given to anonymous clients`);
  return permissions.filter((each) => each !== NONE);
}

function unknownPermissions(permissions: readonly string[]): string[] {
  return permissions.filter((each) => each !== NONE && !ALL_PERMISSIONS.includes(each));
}

/** Permissions as in replies: `@all` as all five, sorted. */
export function spellOut(permissions: readonly string[]): string[] {
  return permissions.includes(ALL) ? [...ALL_PERMISSIONS] : [...permissions].sort();
}

/** The permissions in a text of the users table. */
export function storedPermissions(text: string): string[] {
  return text.split(' ').filter(Boolean);
}

/** Whether `held` covers every one of `needs`. */
export function covers(held: ReadonlySet<string>, needs: readonly string[]): boolean {
  return held.has(ALL) || needs.every((need) => held.has(need));
}

/** The refusal that BitBake's clients know. */
export function denied(username: string | null, needs: readonly string[]): InvokeError {
  return new InvokeError(
    `${username ?? 'Anonymous user'} is not allowed to access permissions(s) ${needs.join(', ')}`,
    undefined,
    'denied',
  );
}
