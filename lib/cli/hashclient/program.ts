import { COMMON_ENVIRONMENT, COMMON_FLAGS } from '../client/common.ts';
import { completionCommand } from '../client/completion-command.ts';
import type { ProgramSpec } from '../client/table.ts';
import { DEFAULT_ADDRESS, type HashCall, openHashCall } from './call.ts';
import { DATABASE_COMMANDS } from './database-commands.ts';
import { LOOKUP_COMMANDS } from './lookup-commands.ts';
import { TRANSFER_COMMANDS } from './transfer-commands.ts';
import { USER_COMMANDS } from './user-commands.ts';

/** Every subcommand of bakeserv-hashclient. */
export const HASH_CLIENT: ProgramSpec<HashCall> = {
  name: 'bakeserv-hashclient',
  about: 'Asks and manages a hash equivalence server.',
  details:
    'Takes the subcommands and options of bitbake-hashclient, and needs no BitBake tree. docs/migrating.md says where ' +
    'its output differs. The exit status is 0 when all went well, 1 when a call was refused or failed, 2 for wrong usage.',
  flags: [
    {
      name: 'address',
      values: ['ADDRESS'],
      default: DEFAULT_ADDRESS,
      describe: 'The server: unix://PATH, HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
    },
    { name: 'log', values: ['LEVEL'], default: 'WARNING', describe: 'With INFO or DEBUG, say who was connected to' },
    { name: 'login', short: 'l', values: ['USER'], describe: 'Log in as this user' },
    { name: 'password', short: 'p', values: ['TOKEN'], describe: 'The token of that user' },
    { name: 'become', short: 'b', values: ['USER'], describe: 'After the login, act as this user' },
    { name: 'no-netrc', short: 'n', describe: 'Take no login from netrc' },
    ...COMMON_FLAGS,
  ],
  environment: [
    ['NETRC', 'A netrc file to read in place of ~/.netrc; the machine is the whole address'],
    ...COMMON_ENVIRONMENT,
  ],
  files: [['~/.netrc', 'Logins: machine ADDRESS login USER password TOKEN']],
  open: openHashCall,
  close: (call) => call.close(),
  commands: {
    ...LOOKUP_COMMANDS,
    ...DATABASE_COMMANDS,
    ...TRANSFER_COMMANDS,
    ...USER_COMMANDS,
    completion: completionCommand('bakeserv-hashclient', () => HASH_CLIENT),
  },
};
