import { completionCommand } from '../args/completion.ts';
import type { Program } from '../args/table.ts';
import { COMMON_ENVIRONMENT, COMMON_FLAGS } from '../client/common.ts';
import { LOGIN_FLAGS } from '../client/login.ts';
import { DEFAULT_ADDRESS, type HashCall, openHashCall } from './call.ts';
import { DATABASE_COMMANDS } from './database-commands.ts';
import { INSIGHT_COMMANDS } from './insight-commands.ts';
import { LOOKUP_COMMANDS } from './lookup-commands.ts';
import { TRANSFER_COMMANDS } from './transfer-commands.ts';
import { USER_COMMANDS } from './user-commands.ts';

/** Every subcommand of bakeserv-hashclient. */
export const HASH_CLIENT: Program<HashCall> = {
  name: 'bakeserv-hashclient',
  about: 'Queries and manages a hash equivalence server.',
  details:
    'Takes the subcommands and options of bitbake-hashclient, and needs no BitBake tree. docs/migrating.md says where ' +
    'its output differs. The exit status is 0 when all went well, 1 when a call was refused or failed, 2 for wrong usage.',
  options: [
    {
      name: 'address',
      type: 'string',
      values: ['ADDRESS'],
      default: DEFAULT_ADDRESS,
      describe: 'The server: unix://PATH, HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
    },
    {
      name: 'log',
      type: 'string',
      values: ['LEVEL'],
      default: 'WARNING',
      describe: 'With INFO or DEBUG, report which server was connected to',
    },
    ...LOGIN_FLAGS,
    { name: 'become', type: 'string', alias: 'b', values: ['USER'], describe: 'After the login, act as this user' },
    { name: 'no-netrc', type: 'boolean', alias: 'n', describe: 'Do not read a login from netrc' },
    ...COMMON_FLAGS,
  ],
  environment: [
    ['NETRC', 'A netrc file to read instead of ~/.netrc; the machine is the full address'],
    ...COMMON_ENVIRONMENT,
  ],
  files: [['~/.netrc', 'Logins: machine ADDRESS login USER password TOKEN']],
  statuses: [
    ['0', 'All went well.'],
    ['1', 'A call was refused or failed, or the answer of a test is no.'],
    ['2', 'Wrong usage.'],
  ],
  open: openHashCall,
  close: (call) => call.close(),
  commands: {
    ...LOOKUP_COMMANDS,
    ...DATABASE_COMMANDS,
    ...INSIGHT_COMMANDS,
    ...TRANSFER_COMMANDS,
    ...USER_COMMANDS,
    completion: completionCommand('bakeserv-hashclient', () => HASH_CLIENT),
  },
};
