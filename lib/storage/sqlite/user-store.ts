import type { HashStore, User } from '../../hashserv/store.ts';
import type { Param } from './binding.ts';
import type { Database } from './database.ts';

type UserMethods = Pick<
  HashStore,
  'findUser' | 'allUsers' | 'createUser' | 'upsertUser' | 'setPermissions' | 'setToken' | 'deleteUser'
>;

const FIELDS = 'id, username, token, permissions';

/** The users table. */
export function createUserStore(database: Database): { methods: UserMethods; version: number; changed: () => void } {
  const users = {
    version: 0,
    changed() {
      users.version++;
    },
    methods: {
      async findUser(username) {
        const [user] = await database.read<User>(
          database.reads,
          `SELECT ${FIELDS} FROM users WHERE username = ? LIMIT 1`,
          [username],
        );
        return user ?? null;
      },
      allUsers: () => database.read<User>(database.reads, `SELECT ${FIELDS} FROM users ORDER BY username`),
      createUser: (username, token, permissions) =>
        change('INSERT INTO users (username, token, permissions) VALUES (?, ?, ?) ON CONFLICT (username) DO NOTHING', [
          username,
          token,
          permissions,
        ]),
      async upsertUser(username, token, permissions) {
        await change(
          `INSERT INTO users (username, token, permissions) VALUES (?, ?, ?)
           ON CONFLICT (username) DO UPDATE SET token = excluded.token, permissions = excluded.permissions`,
          [username, token, permissions],
        );
      },
      setPermissions: (username, permissions) =>
        change('UPDATE users SET permissions = ? WHERE username = ?', [permissions, username]),
      setToken: (username, token) => change('UPDATE users SET token = ? WHERE username = ?', [token, username]),
      deleteUser: (username) => change('DELETE FROM users WHERE username = ?', [username]),
    } satisfies UserMethods,
  };

  async function change(sql: string, params: readonly Param[]): Promise<boolean> {
    const changes = await database.writer!.slice((connection) => connection.run(sql, params));
    users.changed();
    return changes > 0;
  }

  return users;
}
