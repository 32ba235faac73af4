import fs from 'node:fs';
import { StorageError, type StorageErrorCode } from '../../../errors.ts';
import { StoreFigures } from '../../../meter/store-figures.ts';
import { type Binding, openBinding, type Param } from '../engine/binding.ts';
import {
  createStatementClock,
  fileSize,
  LONG_READ_CACHE_KIB,
  openReader,
  patiently,
  READER_CACHE_KIB,
  requireVersion,
} from '../engine/connections.ts';
import { type Database, type DatabaseOptions, holdsSchema, tableNames } from '../engine/database.ts';
import { createDoubt } from '../engine/doubt.ts';
import { createForeignCommits } from '../engine/foreign-commits.ts';
import { createLentReaders } from '../engine/lent-readers.ts';
import { patientRead } from '../engine/patient-read.ts';
import { isReadOnlyFileSystem } from './read-only-mount.ts';
import { reopenable } from './reopenable.ts';
import { createRowCounter } from './row-counter.ts';
import { appearance, watchUnlocked } from './unlocked-file.ts';

type Connections = Record<'lookups' | 'reads' | 'maintenance', Binding>;

/**
 * Opens a file for a server that only reads: it creates and migrates nothing. Where nothing can be written beside it SQLite
 * cannot take locks; the file is then read as if it did not change, and watched in case it does.
 */
export async function openReadOnly(file: string, options: DatabaseOptions): Promise<Database> {
  // Before it is opened, so that every change after this is noticed.
  const seen = await appearance(file);
  const mode = options.immutable ? 'immutable' : await readableMode(file);
  const connections = await connect(file, mode);
  const settled = options.immutable || mode === 'read' || isReadOnlyFileSystem(fs.realpathSync(file));
  return assemble(file, options, connections, settled ? null : seen);
}

async function connect(file: string, mode: 'read' | 'immutable'): Promise<Connections> {
  const opened: Binding[] = [];
  const open = async () => {
    const connection = await openReader(file, mode, READER_CACHE_KIB);
    opened.push(connection);
    return connection;
  };
  try {
    const [lookups, reads, maintenance] = [await open(), await open(), await open()];
    await requireVersion(reads);
    return { lookups, reads, maintenance };
  } catch (error) {
    await Promise.allSettled(opened.map((connection) => connection.close()));
    throw error;
  }
}

/** @param seen how the file looked before it was opened, if it must be watched */
function assemble(file: string, options: DatabaseOptions, first: Connections, seen: string | null): Database {
  const lookups = reopenable(first.lookups);
  const reads = reopenable(first.reads);
  const maintenance = reopenable(first.maintenance);
  const clock = createStatementClock(options, () => [lookups, reads]);
  for (const connection of [lookups, reads]) clock.watch(connection);
  const { log, onFatal } = options;
  const doubt = createDoubt({ file, log, checkSql: options.check?.sql, hold() {}, onFatal });
  const foreign = createForeignCommits(async (run) => {
    // Without locks, commits are seen by the file's looks alone.
    await lookAtFile();
    await run(reads.current);
  });
  const listeners: (() => void)[] = [];
  const onClose: (() => void)[] = [];
  /** The file has changed and cannot be read as it is now. */
  let unreadable: unknown = null;

  async function reopen(): Promise<void> {
    try {
      const mode = await readableMode(file);
      const next = await connect(file, mode);
      lookups.replace(next.lookups);
      reads.replace(next.reads);
      maintenance.replace(next.maintenance);
      // From now on SQLite's locks protect the reads.
      if (mode === 'read') watch?.close();
      unreadable = null;
      log.info('the database file has changed: it was opened again', { file });
    } catch (error) {
      if (!unreadable) log.warn('the database file has changed and cannot be read as it is now', { error });
      unreadable = error;
      throw error;
    } finally {
      for (const listener of listeners) listener();
    }
  }
  const watch = seen === null ? null : watchUnlocked(file, seen, reopen);
  const lookAtFile = async () => {
    if (watch && !watch.isRecent) await watch.look();
  };

  async function read<Row>(on: Binding, sql: string, params?: readonly Param[]): Promise<Row[]> {
    await lookAtFile();
    if (unreadable) throw unreadable;
    if (watch) {
      try {
        return await on.all(sql, params);
      } catch {
        // Pages from before and after a change, read together, look like a corrupt file.
        await watch.look();
      }
    }
    return patientRead(on, sql, params, doubt);
  }
  const readers = createLentReaders(async () => {
    const mode = options.immutable ? 'immutable' : await readableMode(file);
    return openReader(file, mode, LONG_READ_CACHE_KIB);
  });
  const tables = new Set<string>();
  const whenClosing = (listener: () => void) => void onClose.push(listener);

  return {
    file,
    readOnly: true,
    counts: createRowCounter({ maintenance, read, onClose: whenClosing }, tables, log),
    figures: new StoreFigures(),
    writer: null,
    lookups,
    reads,
    maintenance,
    holds: (schema) => patiently(() => holdsSchema(reads, schema)),
    async addSchema(schema) {
      const found = await patiently(() => tableNames(reads));
      const missing = schema.tables.filter((table) => !found.has(table));
      for (const table of schema.tables) tables.add(table);
      if (missing.length === 0) return;
      throw new StorageError(
        'storage-missing',
        `${file} has no ${schema.name} table ${missing[0]}; a read-only server creates and migrates nothing: open it once with a writable server`,
      );
    },
    read,
    openReader: readers.open,
    onForeignCommit(listener) {
      listeners.push(listener);
      foreign.listen(listener);
    },
    foreignSeenAt: foreign.seenAt,
    lookForForeign: foreign.look,
    onClose: whenClosing,
    tryWrite: async () => {},
    async close() {
      for (const listener of onClose) listener();
      watch?.close();
      foreign.close();
      clock.close();
      await readers.close();
      await doubt.stop();
      for (const connection of [lookups, reads, maintenance]) await connection.close();
    },
  };
}

/** Why SQLite could make no -shm file beside the database, which its locks need, and what helps where there is a -wal. */
const NO_LOCKS: ReadonlyMap<StorageErrorCode, string> = new Map([
  ['storage-missing', 'mount the folder writable'],
  ['storage-read-only', 'mount the folder writable'],
  ['storage-full', 'free some disk space'],
]);

/**
 * `read`, or `immutable` where no file can be made beside the database (on a read-only mount or a full disk) and there is
 * no -wal to read.
 */
export async function readableMode(file: string): Promise<'read' | 'immutable'> {
  const probe = await openBinding(file, 'read');
  try {
    await patiently(() => probe.all('SELECT count(*) FROM sqlite_master'));
    return 'read';
  } catch (error) {
    const advice = error instanceof StorageError ? NO_LOCKS.get(error.code) : undefined;
    if (advice === undefined) throw error;
    if (fileSize(`${file}-wal`) === 0) return 'immutable';
    throw new StorageError(
      'storage-read-only',
      `${file} has a write-ahead log that cannot be read here; stop the server that writes it cleanly, or ${advice}`,
      error,
    );
  } finally {
    await probe.close();
  }
}
