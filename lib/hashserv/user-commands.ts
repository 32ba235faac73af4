import { InvokeError } from '../errors.ts';
import type { HashContext, HashRow } from './commands.ts';
import { ALL, parsePermissions, spellOut, storedPermissions, USER_ADMIN } from './permissions.ts';
import { NAME, object } from './schemas.ts';
import type { HashStore, User } from './store.ts';
import { hashToken, newToken, verifyToken } from './tokens.ts';

const WRONG_TYPE = { permissions: 'Unexpected type for permissions' };
const PERMISSIONS = { type: 'array', items: { type: 'string' }, maxItems: 64 };
const OPTIONAL_NAME = object({ username: { ...NAME, type: ['string', 'null'] } }, []);
const NAME_AND_PERMISSIONS = object({ username: NAME, permissions: PERMISSIONS });

interface NameArgs {
  readonly username?: string | null;
}

interface PermissionArgs {
  readonly username: string;
  readonly permissions: unknown;
}

/** The name a command means: the one given, or one's own. */
function nameOf({ session }: HashContext, { username }: NameArgs): string {
  const name = username ?? session.username;
  if (name === null) throw new InvokeError('username is missing');
  return name;
}

function noSuchUser(username: string): InvokeError {
  return new InvokeError(`No user named '${username}' exists`);
}

function show({ username, permissions }: User) {
  return { username, permissions: spellOut(storedPermissions(permissions)) };
}

async function auth({ session, store, logins }: HashContext, { username, token }: { username: string; token: string }) {
  const address = session.peer.address ?? 'local';
  const version = store.usersVersion;
  const user = await store.findUser(username);
  const allowed = logins.allows(address, username);
  if (!verifyToken(token, (allowed && user?.token) || null)) {
    await (allowed ? logins.failed(address, username) : logins.refused(address));
    throw new InvokeError(`Unable to authenticate as ${username}`);
  }
  session.become(user!, version);
  return { result: true, username, permissions: storedPermissions(user!.permissions).sort() };
}

/** Logins and the user table (protocol.md section 3). */
export const USER_COMMANDS: Readonly<Record<string, HashRow>> = {
  auth: {
    needs: [],
    schema: object({ username: NAME, token: { type: 'string', format: 'text' } }),
    handle: auth,
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
    handle: async ({ store }, { username, permissions: wanted }: PermissionArgs) => {
      const permissions = parsePermissions(wanted);
      const token = newToken();
      if (!(await store.createUser(username, hashToken(token), permissions.join(' ')))) {
        throw new InvokeError(`Cannot create new user '${username}'`);
      }
      return { username, permissions: spellOut(permissions), token };
    },
  },

  'set-user-perms': {
    needs: [USER_ADMIN],
    writes: true,
    schema: NAME_AND_PERMISSIONS,
    refusals: WRONG_TYPE,
    handle: async ({ store }, { username, permissions: wanted }: PermissionArgs) => {
      const permissions = parsePermissions(wanted);
      if (!(await store.setPermissions(username, permissions.join(' ')))) throw noSuchUser(username);
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
      if (!(await context.store.setToken(username, hashToken(token)))) throw noSuchUser(username);
      return { username, token };
    },
  },

  'become-user': {
    needs: [USER_ADMIN],
    schema: object({ username: NAME }),
    handle: async ({ session, store }, { username }: { username: string }) => {
      const version = store.usersVersion;
      const user = await store.findUser(username);
      if (!user) throw new InvokeError(`User ${username} doesn't exist`);
      session.become(user, version);
      return show(user);
    },
  },
};

/** Creates the administrator, or resets the token and rights of an existing one (`--admin-user`, `--admin-password`). */
export async function ensureAdmin(store: HashStore, username: string, password: string): Promise<void> {
  await store.upsertUser(username, hashToken(password), ALL);
}
