import fs from 'node:fs';
import { StorageError } from '../../../errors.ts';
import { ID_NOTE } from '../../../hashserv/store.ts';
import { openBinding } from '../engine/binding.ts';
import { patiently } from '../engine/connections.ts';
import { tableNames } from '../engine/database.ts';
import { openToLook } from './look.ts';

/** The id of a database, by which others note how far they have read it; null where nobody has asked for one. */
async function idOf(file: string): Promise<string | null> {
  const connection = await openToLook(file);
  try {
    if (!(await patiently(() => tableNames(connection))).has('config')) return null;
    const [row] = await patiently(() =>
      connection.all<{ value: string | null }>('SELECT value FROM config WHERE name = ?', [ID_NOTE]),
    );
    return row?.value ?? null;
  } finally {
    await connection.close();
  }
}

/**
 * Whether a backup becomes another database than it was made of: there is none in its place, or one with another id. One that
 * cannot be read is most likely what the backup is for.
 * @throws StorageError when the backup cannot be read
 */
export async function becomesAnother(backup: string, target: string): Promise<boolean> {
  const id = await idOf(backup);
  if (id === null) return false;
  if (!fs.existsSync(target)) return true;
  try {
    const there = await idOf(target);
    return there !== null && there !== id;
  } catch (error) {
    if (error instanceof StorageError) return false;
    throw error;
  }
}

/** Takes the id out of a file that nobody has: it gets a new one when that is asked for. */
export async function dropId(file: string): Promise<void> {
  const connection = await openBinding(file, 'write');
  try {
    if ((await tableNames(connection)).has('config'))
      await connection.run('DELETE FROM config WHERE name = ?', [ID_NOTE]);
  } finally {
    await connection.close();
  }
}
