import { type HashStore, MANAGE_USERS, type User } from '../../../hashserv/store.ts';
import { lastManager } from '../../../hashserv/store-rules.ts';
import { raiseUsers } from '../engine/coherence.ts';
import type { ConnectionPool, Session } from '../engine/pool.ts';
import type { Writer } from '../engine/writer.ts';

type UserMethods = Pick<
  HashStore,
  'findUser' | 'allUsers' | 'createUser' | 'upsertUser' | 'setPermissions' | 'setToken' | 'deleteUser'
>;

const FIELDS = "id, username, token, coalesce(permissions, '') AS permissions";
const statement = (name: string, text: string) => ({ name: `bakeserv-user-${name}`, text });

const FIND = statement('find', `SELECT ${FIELDS} FROM users WHERE username = $1`);
const ALL = statement('all', `SELECT ${FIELDS} FROM users ORDER BY username`);
const CREATE = statement(
  'create',
  'INSERT INTO users (username, token, permissions) VALUES ($1, $2, $3) ON CONFLICT (username) DO NOTHING',
);
const UPSERT = statement(
  'upsert',
  `INSERT INTO users (username, token, permissions) VALUES ($1, $2, $3)
    ON CONFLICT (username) DO UPDATE SET token = excluded.token, permissions = excluded.permissions`,
);
const SET_TOKEN = statement('token', 'UPDATE users SET token = $2 WHERE username = $1');
const SET_PERMISSIONS = statement('permissions', 'UPDATE users SET permissions = $2 WHERE username = $1');
const DELETE = statement('delete', 'DELETE FROM users WHERE username = $1');

/** Whether a list of permissions, joined by blanks, allows managing users. */
const manages = (permissions: string) => permissions.split(' ').some((one) => MANAGE_USERS.includes(one));

/**
 * The users table. Transactions are serializable, so of two servers that each take the right from one of the last two
 * administrators, one sees what the other did.
 * @param changed told when users were changed here
 */
export function createUserStore(pool: ConnectionPool, writer: () => Writer, changed: () => void): UserMethods {
  async function change(work: (session: Session) => Promise<number>): Promise<boolean> {
    const rows = await writer().slice(async (session) => {
      const count = await work(session);
      if (count > 0) await raiseUsers(session);
      return count;
    });
    changed();
    return rows > 0;
  }

  /** @throws InvokeError when nobody would be left who may manage users */
  async function requireManager(session: Session, username: string): Promise<void> {
    const users = await session.all<User>(ALL);
    const isManager = users.some((user) => user.username === username && manages(user.permissions));
    if (isManager && !users.some((user) => user.username !== username && manages(user.permissions)))
      throw lastManager(username);
  }

  return {
    async findUser(username) {
      const [user] = await pool.read<User>(FIND, [username]);
      return user ?? null;
    },
    allUsers: () => pool.read<User>(ALL),
    createUser: (...user) => change((session) => session.run(CREATE, user)),
    async upsertUser(...user) {
      await change((session) => session.run(UPSERT, user));
    },
    setPermissions: (username, permissions) =>
      change(async (session) => {
        if (!manages(permissions)) await requireManager(session, username);
        return session.run(SET_PERMISSIONS, [username, permissions]);
      }),
    setToken: (username, token) => change((session) => session.run(SET_TOKEN, [username, token])),
    deleteUser: (username) =>
      change(async (session) => {
        await requireManager(session, username);
        return session.run(DELETE, [username]);
      }),
  };
}
