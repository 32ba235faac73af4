import fs from 'node:fs';
import path from 'node:path';
import type { SyncMode } from '../../config.ts';
import type { StorageError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Binding } from './binding.ts';
import { fileSize } from './connections.ts';
import { checkDatabaseFile } from './file-check.ts';
import { hasNeighbour } from './neighbours.ts';
import { createDatabaseFile, removeLeftovers } from './new-file.ts';
import { CHECK_DEFAULTS, type CheckOptions, startQuickCheck } from './quick-check.ts';
import { openReadOnly } from './read-only.ts';
import { openWritable } from './writable.ts';
import type { Writer } from './writer.ts';

/** How a store opens its file. */
export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** With readOnly: nobody writes to the file while it is open. It is then read without locks, and not watched. */
  readonly immutable?: boolean;
  /** Accept an existing file of zero bytes as a new database. */
  readonly init: boolean;
  readonly syncMode: SyncMode;
  /** A look-up or a write longer than this is interrupted; 5 s where it is not said. */
  readonly statementTimeoutMs?: number;
  /** A connection that finds the file locked at every write for so long is opened again; 15 s where it is not said. */
  readonly reopenAfterMs?: number;
  /** How the file is checked after a crash; CHECK_DEFAULTS where it is not said. */
  readonly check?: Partial<CheckOptions>;
  readonly log: Logger;
  /** The database can no longer be trusted or written: the server must end with status 3. Called at most once. */
  readonly onFatal: (error: StorageError) => void;
}

/** The tables a service keeps in a file. */
export interface Schema {
  /** What to call it in an error: `hash equivalence` or `PR`. */
  readonly name: string;
  /** A read-only server needs these to be there. */
  readonly tables: readonly string[];
  /** Creates and migrates; runs inside a transaction that holds the write lock. */
  migrate(connection: Binding, log: Logger): Promise<void>;
  /** Per-connection set-up of the writer that leaves nothing in the file: temporary views and triggers. */
  prepareWriter?(connection: Binding): Promise<void>;
}

/**
 * An open SQLite file: one writer, two readers, one connection for maintenance and checkpoints, and after a crash one
 * that checks it (a thread of the pool for each: bin/launch.cts). Both services may share one, so that they share its
 * writer.
 */
export interface Database {
  readonly file: string;
  readonly readOnly: boolean;
  /** Group commit; null on a read-only database. */
  readonly writer: Writer | null;
  /** For the look-ups of streams. */
  readonly lookups: Binding;
  /** For every other read. */
  readonly reads: Binding;
  /** For long scans, in pages. */
  readonly maintenance: Binding;
  /** Adds a service's tables. Throws StorageError when a read-only database lacks them. */
  addSchema(schema: Schema): Promise<void>;
  /** Retries while another program has the whole database locked. */
  read<Row>(connection: Binding, sql: string, params?: readonly (string | number | null)[]): Promise<Row[]>;
  /** Writes what the file holds already, through to the disk as the sync mode says; nothing on a read-only database. */
  tryWrite(): Promise<void>;
  /** Called after another process, or another connection than the writer, has committed; within 250 ms. */
  onForeignCommit(listener: () => void): void;
  /** Drains the writer, checkpoints, closes. After a fatal error it is left as it is: the process must end. */
  close(drainMs: number): Promise<void>;
}

/**
 * Opens a database file, creating it where that is asked for.
 * @throws StorageError when the file is absent, empty, damaged, locked or cannot be written; the message says what to do
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const file = path.resolve(options.file);
  const existed = checkDatabaseFile(file, options);
  if (existed) warnOfWriters(file, options.log);
  // SQLite removes the -wal when the last connection closes cleanly: one that is left means a crash, or a live neighbour.
  const unclean = fs.existsSync(`${file}-wal`);
  if (options.readOnly) return openReadOnly(file, options);
  if (!fs.existsSync(file)) await createDatabaseFile(file);
  tidy(file, options.log);
  if (!existed || !unclean) return openWritable(file, options, null);
  const { besideFromBytes, sql } = { ...CHECK_DEFAULTS, ...options.check };
  const whole = hasNeighbour(file)
    ? 'another server has this database open; the file was checked and is whole'
    : undefined;
  const check = () => startQuickCheck(file, options.log, sql, whole);
  if (fileSize(file) >= besideFromBytes) return openWritable(file, options, check);
  // Before any connection that writes: its end, too, would write to a file that is damaged.
  await check().done;
  return openWritable(file, options, null);
}

/** Existing files keep the rights they were given. */
function warnOfWriters(file: string, log: Logger): void {
  if ((fs.statSync(file).mode & 0o002) === 0) return;
  log.warn('every user of this machine may write the database file: chmod o-w', { file });
}

function tidy(file: string, log: Logger): void {
  try {
    removeLeftovers(file);
  } catch (error) {
    // Whether the folder can be written is not decided by this.
    log.debug('what killed starts left beside the database could not be removed', { file, error });
  }
}
