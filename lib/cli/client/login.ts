import type { Login } from '../../asyncrpc/client/options.ts';
import type { Option } from '../../settings/options.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';

/** Options of both programs about the login. */
export const LOGIN_FLAGS: readonly Option[] = [
  { name: 'login', type: 'string', alias: 'l', values: ['USER'], describe: 'Log in as this user' },
  { name: 'password', type: 'string', alias: 'p', values: ['TOKEN'], describe: 'The token of that user' },
];

/**
 * `--login` and `--password`, or the token that netrc has for that user under the address.
 * @param unasked whether a login in netrc is also used without `--login`
 * @throws UsageError when there is no token for the user
 */
export async function loginOf(globals: Args, address: string, unasked: boolean): Promise<Login | undefined> {
  const username = globals.text('login');
  const token = globals.text('password');
  if (username !== undefined && token !== undefined) return { username, token };
  if (token !== undefined) throw new UsageError('--password is of no use without --login');
  const wanted = (username !== undefined || unasked) && !globals.has('no-netrc');
  const found = wanted ? (await import('../../asyncrpc/client/netrc.ts')).findCredentials(address) : null;
  if (username !== undefined && found?.login !== username) {
    throw new UsageError(`--login ${username}: name the token with --password, or in netrc under ${address}`);
  }
  return found ? { username: found.login, token: found.password } : undefined;
}
