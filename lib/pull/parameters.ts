import { InvokeError } from '../errors.ts';
import { parametersOf } from '../jobs/kind.ts';
import { ON_CONFLICT, type OnConflict } from '../prserv/pull/rules.ts';
import { withoutPassword } from '../settings/database-address.ts';
import { parseSince, type Selection } from './selection.ts';

/** What a pull is asked for; names are those of the command line's options. */
export interface PullParameters {
  /** The address of a server or of a PostgreSQL database, or a file with its whole path. */
  readonly source: string;
  readonly hashes?: boolean;
  readonly prs?: boolean;
  readonly packages?: string;
  readonly pkgarch?: string;
  readonly methods?: readonly string[];
  readonly since?: string;
  readonly on_conflict?: OnConflict;
  readonly dry_run?: boolean;
  /** Whom to log in as at a server. */
  readonly user?: string;
  /** A file with the token for that; otherwise it is looked up in netrc. */
  readonly token_file?: string;
  readonly ca?: string;
  readonly tls_cert?: string;
  readonly tls_key?: string;
}

const NAME = { type: 'string', minLength: 1, maxLength: 1024, format: 'text' };

/** Which source, and how it is opened. */
export const SOURCE_PARAMETERS = {
  source: { ...NAME, maxLength: 4096 },
  user: NAME,
  token_file: NAME,
  ca: NAME,
  tls_cert: NAME,
  tls_key: NAME,
};

export const PULL_PARAMETERS = parametersOf(
  {
    ...SOURCE_PARAMETERS,
    hashes: { type: 'boolean' },
    prs: { type: 'boolean' },
    packages: NAME,
    pkgarch: NAME,
    methods: { type: 'array', minItems: 1, maxItems: 100, items: NAME },
    since: { type: 'string', maxLength: 40 },
    on_conflict: { enum: ON_CONFLICT },
    dry_run: { type: 'boolean' },
  },
  ['source'],
);

/** @throws InvokeError for what a schema cannot tell is wrong */
export function selectionOf(parameters: PullParameters): Selection {
  const { hashes = false, prs = false, packages = null, pkgarch = null, methods = null } = parameters;
  const since = parameters.since === undefined ? null : parseSince(parameters.since);
  if (parameters.since !== undefined && !since)
    throw wrong(`since: expected the number of a row, or a time such as 2026-11-21T12:00`);
  // Neither named: both.
  return { hashes: hashes || !prs, prs: prs || !hashes, packages, pkgarch, methods, since };
}

/** @throws InvokeError */
export function checkParameters(parameters: PullParameters): void {
  selectionOf(parameters);
  const { source, token_file: tokenFile, user } = parameters;
  if (withoutPassword(source) !== source)
    throw wrong(
      'source: a password does not belong into the address, which is kept and shown: put it into ~/.pgpass of the user the server runs as, or name a file with ?passfile=',
    );
  if (tokenFile !== undefined && user === undefined) throw wrong('token_file is of no use without user');
}

const wrong = (text: string) => new InvokeError(`pull: ${text}`, undefined, 'invalid');
