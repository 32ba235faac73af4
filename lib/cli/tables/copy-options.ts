import type { Option } from '../../settings/options.ts';
import { CONNECTION_FLAGS } from '../client/connect.ts';
import { flag } from './flag.ts';
import { IN_A_SERVER } from './jobs-options.ts';

const RESULT = 'Output';
const ROWS = 'Rows';

const SERVERS = 'Running servers';

const login = (side: 'from' | 'to', what: 'user' | 'token'): Option => ({
  name: `${side}-${what}`,
  type: 'string',
  setting: true,
  group: SERVERS,
  ...(what === 'user'
    ? { describe: `Log in to ${side.toUpperCase()} as this user` }
    : { describe: 'The token for that login; better set in the environment, or in netrc', secret: true }),
});

export const COPY_OPTIONS: readonly Option[] = [
  flag('hashes', 'Only hash equivalence: unihashes, outhashes, and the current mark of a garbage collection', ROWS),
  flag('prs', 'Only PR values', ROWS),
  flag('users', 'Users too, with their tokens and permissions', ROWS),
  flag('skip-unstorable', 'Leave out rows that TO cannot hold, and name them; otherwise the first ends the copy', ROWS),
  flag('in-use', 'Also copy into a database that a server has open, or into a server that is not empty', ROWS),
  ...(['from', 'to'] as const).flatMap((side) => [login(side, 'user'), login(side, 'token')]),
  ...CONNECTION_FLAGS.map((option): Option => ({ ...option, group: SERVERS })),
  flag('dry-run', 'Only count what is new, equal or different; nothing is written', RESULT),
  flag('json', 'Print the result as JSON', RESULT),
  ...IN_A_SERVER,
];

/** A clone is a copy into new files, of all that there is. */
const CLONED = [
  'users',
  'skip-unstorable',
  'from-user',
  'from-token',
  'json',
  ...CONNECTION_FLAGS.map(({ name }) => name),
];

export const CLONE_OPTIONS: readonly Option[] = COPY_OPTIONS.filter(({ name }) => CLONED.includes(name)).map(
  (option) => ({
    ...option,
    describe: option.describe.replace(/\bFROM\b/, 'SOURCE').replace(/\bTO\b/, 'a database file'),
  }),
);
