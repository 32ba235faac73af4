import fs from 'node:fs';
import { findCredentials } from '../../asyncrpc/client/netrc.ts';
import type { Login } from '../../asyncrpc/client/options.ts';
import { parseAddress } from '../../asyncrpc/transport/address.ts';
import { ConfigError } from '../../errors.ts';
import { SILENT } from '../../log.ts';
import { openDatabaseSource, openDatabaseTarget } from '../../server.ts';
import { isPostgresAddress, withoutPassword } from '../../settings/database-address.ts';
import { environmentName } from '../../settings/options.ts';
import type { Source, Target } from '../../transfer/ends.ts';
import type { ServiceName } from '../../transfer/parts.ts';
import { openServerSource, openServerTarget } from '../../transfer/server.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { connectionOptions } from '../client/connect.ts';
import { tellWaiting } from './wait-notice.ts';

export type Side = 'from' | 'to';

/** What is asked of a target. */
export interface TargetWishes {
  readonly services: ReadonlySet<ServiceName>;
  readonly inUse: boolean;
  readonly dryRun: boolean;
}

/** Whether a word names a running server; HOST:PORT does unless there is a file of that name. */
export function isServer(word: string): boolean {
  if (isPostgresAddress(word)) return false;
  if (/^(unix|tcp|tls|wss?):\/\//.test(word)) return true;
  return /^[^/\s]*:\d{1,5}$/.test(word) && !fs.existsSync(word);
}

/** Whether two words name one database file, by whatever paths or links. */
export function isSameFile(word: string, other: string): boolean {
  if (isServer(word) || isServer(other)) return false;
  const [one, two] = [word, other].map((each) => fs.statSync(each, { throwIfNoEntry: false }));
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}

/** @throws StorageError, ConfigError, AddressError, InvokeError */
export async function openSource(word: string, args: Args, services: ReadonlySet<ServiceName>): Promise<Source> {
  const source = isServer(word)
    ? openServerSource(addressOf(word), { ...serverOptions('from', word, args), services })
    : openDatabaseSource(word, SILENT);
  return tellWaiting(withoutPassword(word), source);
}

/** @throws StorageError, ConfigError, AddressError, InvokeError */
export async function openTarget(word: string, args: Args, wishes: TargetWishes): Promise<Target> {
  const target = isServer(word)
    ? openServerTarget(addressOf(word), { ...serverOptions('to', word, args), ...wishes })
    : openDatabaseTarget(word, { ...wishes, log: SILENT });
  return tellWaiting(withoutPassword(word), target);
}

/** `tcp://` only tells it from a file. @throws AddressError when it is not an address */
function addressOf(word: string): string {
  const address = word.replace(/^tcp:\/\//, '');
  parseAddress(address);
  return address;
}

function serverOptions(side: Side, word: string, args: Args) {
  const advice = `log in with --${side}-user and --${side}-token, or with a line of netrc for that address`;
  return { ...connectionOptions(args), login: loginOf(side, addressOf(word), args), advice };
}

/** What the options or the environment say, otherwise netrc. */
function loginOf(side: Side, address: string, args: Args): Login | undefined {
  const value = (name: string) => args.text(name) ?? (process.env[environmentName(name)] || undefined);
  const [username, token] = [value(`${side}-user`), value(`${side}-token`)];
  if (token !== undefined && username === undefined)
    throw new UsageError(`--${side}-token is of no use without --${side}-user`);
  if (username !== undefined && token !== undefined) return { username, token };
  const found = findCredentials(address);
  if (username !== undefined && found?.login !== username)
    throw new ConfigError(`--${side}-user ${username}: name the token with --${side}-token, or in netrc`);
  return found ? { username: found.login, token: found.password } : undefined;
}
