import { type HashStore, MANAGE_USERS, type User } from '../../../hashserv/store.ts';
import { lastManager } from '../../../hashserv/store-rules.ts';
import type { Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';

type UserMethods = Pick<
  HashStore,
  'findUser' | 'allUsers' | 'createUser' | 'upsertUser' | 'setPermissions' | 'setToken' | 'deleteUser'
>;

const FIELDS = 'id, username, token, permissions';

/** Whether a list of permissions, joined by blanks, allows managing users. */
const MANAGES = (list: string) =>
  `(${MANAGE_USERS.map((one) => `instr(' ' || ${list} || ' ', ' ${one} ') > 0`).join(' OR ')})`;

/** Somebody else may manage users, or this user never could. */
const KEPT = `(NOT ${MANAGES('permissions')}
  OR EXISTS (SELECT 1 FROM users other WHERE other.username <> ?1 AND ${MANAGES('other.permissions')}))`;

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
        changeKept(
          username,
          `UPDATE users SET permissions = ?2 WHERE username = ?1 AND (${MANAGES('?2')} OR ${KEPT})`,
          [permissions],
        ),
      setToken: (username, token) => change('UPDATE users SET token = ? WHERE username = ?', [token, username]),
      deleteUser: (username) => changeKept(username, `DELETE FROM users WHERE username = ?1 AND ${KEPT}`),
    } satisfies UserMethods,
  };

  /** Does not change the last administrator: the row count is then 0, too. */
  async function changeKept(username: string, sql: string, more: readonly Param[] = []): Promise<boolean> {
    const changed = await database.writer!.slice(async (connection) => {
      if ((await connection.run(sql, [username, ...more])) > 0) return true;
      const [user] = await connection.all<User>(`SELECT ${FIELDS} FROM users WHERE username = ?`, [username]);
      if (!user) return false;
      throw lastManager(username);
    });
    users.changed();
    return changed;
  }

  async function change(sql: string, params: readonly Param[]): Promise<boolean> {
    const changes = await database.writer!.slice((connection) => connection.run(sql, params));
    users.changed();
    return changes > 0;
  }

  return users;
}
