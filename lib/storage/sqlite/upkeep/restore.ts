import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errorText, StorageError } from '../../../errors.ts';
import { type Binding, openBinding } from '../engine/binding.ts';
import { isReadFailure } from '../engine/errors.ts';
import { hasNeighbour } from '../file/neighbours.ts';
import { sync } from './backup.ts';
import { dropId } from './identity.ts';
import { openToLook } from './look.ts';

/** What a restore would do to the database that is there. */
export interface RestorePreview {
  /** Packages with values that the backup does not have: they would be given out a second time. */
  readonly packages: number;
  readonly values: number;
  /** Some of them: `version pkgarch`. */
  readonly examples: readonly string[];
}

/**
 * What has been given out since the backup was made.
 * @throws StorageError when either file cannot be read
 */
export async function previewRestore(backup: string, target: string): Promise<RestorePreview> {
  const nothing = { packages: 0, values: 0, examples: [] };
  if (!fs.existsSync(target)) return nothing;
  const connection = await openToLook(target);
  try {
    await connection.run('ATTACH ? AS backup', [backup]);
    const tables = await connection.all<{ name: string }>(
      `SELECT name FROM main.sqlite_master WHERE name = 'PRMAIN' INTERSECT SELECT name FROM backup.sqlite_master`,
    );
    if (tables.length === 0) return nothing;
    const [counted] = await connection.all<{ packages: number; values: number }>(
      `SELECT count(DISTINCT version || char(0) || pkgarch) AS packages, count(*) AS "values" FROM (${SINCE})`,
    );
    const examples = await connection.all<{ shown: string }>(
      `SELECT DISTINCT version || ' ' || pkgarch AS shown FROM (${SINCE}) LIMIT 5`,
    );
    return { ...counted!, examples: examples.map(({ shown }) => shown) };
  } finally {
    await connection.close();
  }
}

const SINCE =
  'SELECT version, pkgarch, value FROM main.PRMAIN EXCEPT SELECT version, pkgarch, value FROM backup.PRMAIN';

/**
 * Asks whether a database could be replaced now.
 * @throws StorageError when a server has the file, or it may not be written
 */
export async function requireUnused(target: string): Promise<void> {
  if (fs.existsSync(target)) await (await takeOver(target))?.close();
}

/**
 * Puts a backup in the place of a database. What was there is kept beside it under the name returned.
 * @param options withNewId: it is another database than the backup was made of
 * @returns where the database that was there is now; null when there was none
 * @throws StorageError when a server has the file, or the backup cannot be put there; the database is then as it was
 */
export async function restoreDatabase(
  backup: string,
  target: string,
  { withNewId = false }: { readonly withNewId?: boolean } = {},
): Promise<string | null> {
  requireWholeCopy(backup, target);
  const folder = path.dirname(target);
  const temporary = path.join(folder, `.${path.basename(target)}.${randomBytes(6).toString('hex')}`);
  const exists = fs.existsSync(target);
  const held = exists ? await takeOver(target) : null;
  try {
    fs.copyFileSync(backup, temporary, fs.constants.COPYFILE_EXCL);
    if (withNewId) await dropId(temporary);
    giveRightsOf(exists ? target : folder, exists, temporary);
    sync(temporary);
    const kept = exists ? keep(target) : null;
    // A log that stayed would be taken for the backup's. Only a damaged database still has one.
    if (kept && fs.existsSync(`${target}-wal`)) fs.renameSync(`${target}-wal`, `${kept}-wal`);
    for (const suffix of ['-wal', '-shm']) fs.rmSync(target + suffix, { force: true });
    fs.renameSync(temporary, target);
    sync(folder);
    return kept;
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('storage-io', `${backup} cannot be put at ${target}: ${errorText(error)}`, error);
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) fs.rmSync(temporary + suffix, { force: true });
    await held?.close();
  }
}

/** A database that is in use is not whole without the log beside it. */
function requireWholeCopy(backup: string, target: string): void {
  const log = fs.statSync(`${backup}-wal`, { throwIfNoEntry: false });
  if (log && log.size > 0)
    throw new StorageError(
      'storage-io',
      `${backup} has a log beside it (${path.basename(backup)}-wal): it is no backup but a database in use, or a copy of one`,
    );
  const [from, to] = [backup, target].map((file) => fs.statSync(file, { throwIfNoEntry: false }));
  if (from && to && from.ino === to.ino && from.dev === to.dev)
    throw new StorageError('storage-io', `${backup} and ${target} are the same file`);
}

/** Root restores for the user whom the database belongs to. */
function giveRightsOf(model: string, withMode: boolean, file: string): void {
  const { uid, gid, mode } = fs.statSync(model);
  fs.chmodSync(file, withMode ? mode & 0o777 : 0o640);
  if (process.getuid?.() === 0) fs.chownSync(file, uid, gid);
}

/**
 * Locks everybody else out, with the log written into the file and gone.
 * @returns null where the file is too damaged to be locked; by all that can be seen, nobody has it then
 */
async function takeOver(target: string): Promise<Binding | null> {
  const connection = await openBinding(target, 'write');
  try {
    // Leaving WAL mode takes the file to oneself: one open connection, even an idle one, is in the way. A connection that
    // stayed in it would remove the log of whoever starts on the new file, as that has the same name.
    await connection.exec(
      'PRAGMA busy_timeout = 50; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE',
    );
    return connection;
  } catch (error) {
    await connection.close();
    if (isReadFailure(error) && !hasNeighbour(target)) return null;
    if (isReadFailure(error) || (error instanceof StorageError && error.code === 'storage-busy'))
      throw new StorageError(
        'storage-busy',
        `a server or another program has ${target}: stop it first ("bakeserv status" shows the servers)`,
        error,
      );
    throw error;
  }
}

/** Another name for the file that is about to be replaced. */
function keep(target: string): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  for (let number = 0; ; number++) {
    const kept = `${target}.before-restore-${time}${number > 0 ? `-${number}` : ''}`;
    try {
      fs.linkSync(target, kept);
      return kept;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      // A file system without hard links. Not copied: closing a descriptor on the file would give our lock away.
      if (fs.existsSync(kept)) continue;
      fs.renameSync(target, kept);
      return kept;
    }
  }
}
