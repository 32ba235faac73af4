import path from 'node:path';
import { type Address, formatAddress, parseAddress, protocolAddress } from '../../asyncrpc/transport/address.ts';
import { ConfigError, errorText } from '../../errors.ts';
import { isPostgresAddress, withoutPassword } from '../database-address.ts';
import { didYouMean } from '../nearest.ts';
import type { Option } from '../options.ts';

/** What a mirror does about PR values in conflict, as `bakeserv pull --on-conflict`. */
const ON_CONFLICT: readonly MirrorConfig['onConflict'][] = ['keep', 'raise', 'fail'];

/** Another server that this one keeps itself level with. */
export interface MirrorConfig {
  /** Its address; or that of a PostgreSQL database, or the whole path of a file or folder. */
  readonly source: string;
  /** From the end of a run to the next. */
  readonly everyMs: number;
  /** What is taken; neither: whatever both servers have. */
  readonly hashes: boolean;
  readonly prs: boolean;
  readonly onConflict: 'keep' | 'raise' | 'fail';
  /** Who to log in as; null: whom .netrc names for the address, if anybody. */
  readonly user: string | null;
  readonly tokenFile: string | null;
}

export const MIRROR_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'mirror',
    type: 'strings',
    default: undefined,
    describe:
      'Keep level with this server, or with a database file or an export (by its whole path): take what is new there at the start, and then every hour; repeat it for several. Behind commas may follow every=15m (s, m, h or d), hashes or prs to take only those, on-conflict=raise or on-conflict=fail, user=NAME and token-file=FILE for the login there; see docs/publishing.md',
    reloads: true,
  },
];

const EVERY_MS = 3_600_000;
const SHORTEST_MS = 1000;
const LONGEST_MS = 7 * 86_400_000;
const UNITS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SWITCHES = ['hashes', 'prs'];
const WORDS = ['every', ...SWITCHES, 'on-conflict', 'user', 'token-file'];

/** What the rest of the settings says, as far as a mirror must know. */
export interface MirrorSurroundings {
  readonly binds: readonly { readonly address: Address }[];
  readonly readOnly: boolean;
  readonly hashserv: object | null;
  readonly prserv: object | null;
}

/**
 * Reads what `--mirror` says, from a list or a text that names several.
 * @throws ConfigError that names where it was set
 */
export function mirrorsOf(given: unknown, where: string, around: MirrorSurroundings): readonly MirrorConfig[] {
  const mirrors = splitMirrors((given as readonly string[] | undefined) ?? []).map((words) => {
    const text = words.join(',');
    const bad = (why: string) => new ConfigError(`${where}: ${JSON.stringify(text)}: ${why}`);
    return readMirror(words, around, bad);
  });
  if (mirrors.length > 0 && around.readOnly)
    throw new ConfigError(`${where}: a --read-only server stores nothing, and so mirrors none`);
  const sources = mirrors.map(({ source }) => source);
  const twice = sources.find((source, i) => sources.indexOf(source) !== i);
  if (twice !== undefined) throw new ConfigError(`${where}: ${twice} is given twice`);
  return mirrors;
}

/** Each mirror with its words. An environment variable was cut at every comma: what can only be said of a mirror is of the one before. */
function splitMirrors(given: readonly string[]): readonly (readonly string[])[] {
  const mirrors: string[][] = [];
  for (const text of given)
    for (const [i, word] of text.split(',').entries()) {
      const isAbout = i > 0 || WORDS.includes(word.split('=', 1)[0]!);
      if (word === '') continue;
      if (isAbout && mirrors.length > 0) mirrors.at(-1)!.push(word);
      else mirrors.push([word]);
    }
  return mirrors;
}

function readMirror(
  [source = '', ...words]: readonly string[],
  around: MirrorSurroundings,
  bad: (why: string) => ConfigError,
): MirrorConfig {
  const said = new Map<string, string>();
  for (const word of words) {
    const [, key, value] = /^([^=]*)(?:=(.*))?$/s.exec(word)!;
    if (!WORDS.includes(key!))
      throw bad(
        `${JSON.stringify(word)} is nothing that can be said of a mirror${didYouMean(key!, WORDS)} (known are ${WORDS.join(', ')})`,
      );
    if (said.has(key!)) throw bad(`${key} is given twice`);
    if (SWITCHES.includes(key!) !== (value === undefined))
      throw bad(value === undefined ? `${key} needs a value, as ${key}=…` : `${key} takes no value`);
    if (value === '') throw bad(`${key} is empty`);
    said.set(key!, value ?? '');
  }
  const conflict = said.get('on-conflict') ?? 'keep';
  const onConflict = ON_CONFLICT.find((each) => each === conflict);
  if (!onConflict) throw bad(`on-conflict is one of ${ON_CONFLICT.join(', ')}`);
  if (said.has('token-file') && !said.has('user')) throw bad('token-file is of no use without user');
  const [hashes, prs] = [said.has('hashes'), said.has('prs')];
  if (hashes && !around.hashserv) throw bad('this server does not serve hash equivalence (--no-hashserv)');
  if (prs && !around.prserv) throw bad('this server does not serve PR values (--no-prserv)');
  return {
    source: sourceOf(source, around, bad),
    everyMs: everyOf(said.get('every'), bad),
    ...{ hashes, prs, onConflict },
    user: said.get('user') ?? null,
    tokenFile: said.get('token-file') ?? null,
  };
}

/** Our own listeners are refused: this server is always level with itself. */
function sourceOf(text: string, { binds }: MirrorSurroundings, bad: (why: string) => ConfigError): string {
  if (isPostgresAddress(text)) {
    if (withoutPassword(text) === text) return text;
    throw bad(
      'a password does not belong into the address, which is shown: put it into ~/.pgpass, or name a file with ?passfile=',
    );
  }
  // What is there is looked at for each run: it may be a file that another program brings now and then.
  if (path.isAbsolute(text)) return path.normalize(text);
  let address: Address;
  try {
    address = parseAddress(text);
  } catch (error) {
    throw bad(errorText(error));
  }
  if (address.kind === 'http')
    throw bad(`a server is not mirrored over HTTP; this one is reached as ${formatAddress(protocolAddress(address))}`);
  const own = binds.flatMap((bind) => [bind.address, protocolAddress(bind.address)]).map(formatAddress);
  if (own.includes(formatAddress(address))) throw bad('this is the server itself: name another server');
  return formatAddress(address);
}

function everyOf(text: string | undefined, bad: (why: string) => ConfigError): number {
  if (text === undefined) return EVERY_MS;
  const [, number, unit] = /^(\d{1,9}(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  const everyMs = number === undefined ? 0 : Math.round(Number(number) * UNITS[unit!]!);
  if (everyMs >= SHORTEST_MS && everyMs <= LONGEST_MS) return everyMs;
  throw bad('every is a time from 1s to 7d, such as 30s, 15m, 1h or 1d');
}
