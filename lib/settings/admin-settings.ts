import { ConfigError } from '../errors.ts';
import { environmentName } from './options.ts';

/**
 * Who administers the users, as it was set.
 * @throws ConfigError
 */
export function adminOf(
  username: string | undefined,
  password: string | undefined,
  readOnly: boolean,
): { readonly username: string; readonly password: string } | null {
  if (username === undefined && password === undefined) return null;
  if (!username) throw new ConfigError('--admin-password without --admin-user: name the user it is for');
  if (!password)
    throw new ConfigError(
      `--admin-user without a password: set ${environmentName('admin-password')}, or name a file that holds it (--admin-password-file)`,
    );
  if (readOnly) throw new ConfigError('--admin-user cannot be created on a --read-only server');
  return { username, password };
}
