import { object } from '../../asyncrpc/schemas.ts';
import { InvokeError } from '../../errors.ts';
import { note } from '../access/audit.ts';
import { authenticate } from '../access/authenticate.ts';
import { ALL, parsePermissions, spellOut, storedPermissions, USER_ADMIN } from '../access/permissions.ts';
import { hashToken, newToken, verifyToken } from '../access/tokens.ts';
import type { HashContext, HashRow } from '../context.ts';
import type { HashStore, User } from '../store.ts';
import { HASH } from './schemas.ts';

const WRONG_TYPE = { permissions: 'Unexpected type for permissions' };
const PERMISSIONS = { type: 'array', items: { type: 'string' }, maxItems: 64 };
const OPTIONAL_NAME = object({ username: { ...HASH, type: ['string', 'null'] } }, []);
const NAME_AND_PERMISSIONS = object({ username: HASH, permissions: PERMISSIONS });

interface NameArgs {
  readonly username?: string | null;
}

interface PermissionArgs {
  readonly username: string;
  readonly permissions: unknown;
}

/** The user that a command is about: the one given, otherwise the client's own. */
function nameOf({ session }: HashContext, { username }: NameArgs): string {
  const name = username ?? session.username;
  if (name === null) throw new InvokeError('username is missing', undefined, 'invalid');
  return name;
}

function noSuchUser(username: string): InvokeError {
  return new InvokeError(`No user named '${username}' exists`, undefined, 'missing');
}

function show({ username, permissions }: User) {
  return { username, permissions: spellOut(storedPermissions(permissions)) };
}

/** Logins and the user table (docs/protocol.md). */
export const USER_COMMANDS: Readonly<Record<string, HashRow>> = {
  auth: {
    needs: [],
    untimed: true,
    schema: object({ username: HASH, token: { type: 'string', format: 'text' } }),
    handle: authenticate,
  },

  'get-user': {
    needs: [USER_ADMIN],
    orSelf: true,
    schema: OPTIONAL_NAME,
    handle: async (context, args: NameArgs) => {
      const user = await context.store.findUser(nameOf(context, args));
      return user && show(user);
    },
  },

  'get-all-users': {
    needs: [USER_ADMIN],
    handle: async ({ store }) => ({ users: (await store.allUsers()).map(show) }),
  },

  'new-user': {
    needs: [USER_ADMIN],
    writes: true,
    schema: NAME_AND_PERMISSIONS,
    refusals: WRONG_TYPE,
    handle: async (context, { username, permissions: wanted }: PermissionArgs) => {
      const permissions = parsePermissions(wanted);
      const token = newToken();
      if (!(await context.store.createUser(username, hashToken(token), permissions.join(' ')))) {
        throw new InvokeError(`Cannot create new user '${username}'`, undefined, 'exists');
      }
      note(context, 'user made', { name: username, permissions: permissions.join(' ') });
      return { username, permissions: spellOut(permissions), token };
    },
  },

  'set-user-perms': {
    needs: [USER_ADMIN],
    writes: true,
    schema: NAME_AND_PERMISSIONS,
    refusals: WRONG_TYPE,
    handle: async (context, { username, permissions: wanted }: PermissionArgs) => {
      const permissions = parsePermissions(wanted);
      if (!(await context.store.setPermissions(username, permissions.join(' ')))) throw noSuchUser(username);
      note(context, 'user changed', { name: username, permissions: permissions.join(' ') });
      return { username, permissions: spellOut(permissions) };
    },
  },

  'delete-user': {
    needs: [USER_ADMIN],
    orSelf: true,
    writes: true,
    schema: OPTIONAL_NAME,
    handle: async (context, args: NameArgs) => {
      const username = nameOf(context, args);
      if (!(await context.store.deleteUser(username))) throw noSuchUser(username);
      note(context, 'user deleted', { name: username });
      return { username };
    },
  },

  'refresh-token': {
    needs: [USER_ADMIN],
    orSelf: true,
    writes: true,
    schema: OPTIONAL_NAME,
    handle: async (context, args: NameArgs) => {
      const username = nameOf(context, args);
      const token = newToken();
      const stored = hashToken(token);
      if (!(await context.store.setToken(username, stored))) throw noSuchUser(username);
      context.session.renewed(username, stored);
      note(context, 'token of a user replaced', { name: username });
      return { username, token };
    },
  },

  'become-user': {
    needs: [USER_ADMIN],
    schema: object({ username: HASH }),
    handle: async (context, { username }: { username: string }) => {
      const { session, store } = context;
      const version = store.usersVersion;
      const user = await store.findUser(username);
      if (!user) throw new InvokeError(`User ${username} doesn't exist`, undefined, 'missing');
      note(context, 'acts as another user', { name: username });
      session.become(user, version);
      return show(user);
    },
  },
};

/**
 * Creates the administrator, or resets the token and rights of an existing one (`--admin-user`, `--admin-password`).
 * A user who is as wanted is not written: a server on a full disk must start, because it can still answer.
 */
export async function ensureAdmin(store: HashStore, username: string, password: string): Promise<void> {
  const known = await store.findUser(username);
  if (known && known.permissions === ALL && verifyToken(password, known.token)) return;
  await store.upsertUser(username, hashToken(password), ALL);
}
