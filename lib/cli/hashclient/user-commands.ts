import type { Option } from '../../settings/options.ts';
import type { Program } from '../args/table.ts';
import type { HashCall } from './call.ts';

const PERMISSIONS = {
  name: 'PERMISSION',
  describe: '@read, @report, @db-admin, @user-admin, @all or @none',
  many: true as const,
};
const USER: Option = {
  name: 'username',
  type: 'string',
  alias: 'u',
  values: ['USER'],
  describe: 'The name of the user',
};
const OWN_USER: Option = { ...USER, default: 'yourself' };

/** Subcommands about users. */
export const USER_COMMANDS: Program<HashCall>['commands'] = {
  'get-user': {
    describe: 'Show a user',
    options: [OWN_USER],
    run: async (call) => (await import('./users.ts')).getUser(call),
  },
  'get-all-users': {
    describe: 'List the users',
    run: async (call) => (await import('./users.ts')).getAllUsers(call),
  },
  'new-user': {
    describe: 'Create a user, and show the token to log in with',
    arguments: [PERMISSIONS],
    options: [{ ...USER, required: true }],
    examples: [['bakeserv-hashclient -l admin -p "$TOKEN" new-user -u builder @read @report', 'for a build machine']],
    run: async (call) => (await import('./users.ts')).newUser(call),
  },
  'set-user-perms': {
    describe: 'Change the permissions of a user',
    arguments: [PERMISSIONS],
    options: [{ ...USER, required: true }],
    run: async (call) => (await import('./users.ts')).setUserPermissions(call),
  },
  'refresh-token': {
    describe: 'Give a user a new token; the old one becomes invalid',
    options: [OWN_USER],
    run: async (call) => (await import('./users.ts')).refreshToken(call),
  },
  'delete-user': {
    describe: 'Delete a user',
    options: [OWN_USER],
    run: async (call) => (await import('./users.ts')).deleteUser(call),
  },
};
