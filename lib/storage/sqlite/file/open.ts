import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../../log.ts';
import { fileSize } from '../engine/connections.ts';
import type { Database, DatabaseOptions } from '../engine/database.ts';
import { CHECK_DEFAULTS, startQuickCheck } from '../engine/quick-check.ts';
import { checkDatabaseFile } from './check.ts';
import { hasNeighbour } from './neighbours.ts';
import { createDatabaseFile, removeLeftovers } from './new-file.ts';
import { openReadOnly } from './read-only.ts';
import { openWritable } from './writable.ts';

/**
 * Opens a database file, creating it if asked to.
 * @throws StorageError when the file is absent, empty, corrupt, locked or cannot be written; the message says what to do
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const file = path.resolve(options.file);
  const existed = checkDatabaseFile(file, options);
  if (existed) warnOfWriters(file, options.log);
  // SQLite removes the -wal when the last connection closes cleanly: an existing one means a crash, or another live server.
  const unclean = fs.existsSync(`${file}-wal`);
  if (options.readOnly) return openReadOnly(file, options);
  if (!fs.existsSync(file)) await createDatabaseFile(file);
  tidy(file, options.log);
  const neighbour = unclean && hasNeighbour(file);
  if (!existed || !unclean || (neighbour && options.joinsOthers)) return openWritable(file, options, null);
  const { besideFromBytes, sql } = { ...CHECK_DEFAULTS, ...options.check };
  const whole = neighbour ? 'another server has this database open; the file was checked and is whole' : undefined;
  const check = () => startQuickCheck(file, options.log, sql, whole);
  if (fileSize(file) >= besideFromBytes) return openWritable(file, options, check);
  // Before any connection that writes: even closing that would write to a corrupt file.
  await check().done;
  return openWritable(file, options, null);
}

/** Existing files keep their mode. */
function warnOfWriters(file: string, log: Logger): void {
  if ((fs.statSync(file).mode & 0o002) === 0) return;
  log.warn('every user of this machine may write the database file: chmod o-w', { file });
}

function tidy(file: string, log: Logger): void {
  try {
    removeLeftovers(file);
  } catch (error) {
    // Not a reason to refuse: other checks decide whether the folder can be written.
    log.debug('what killed starts left beside the database could not be removed', { file, error });
  }
}
