import fs from 'node:fs';
import path from 'node:path';
import type { SyncMode } from '../../config.ts';
import { ConfigError, StorageError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { type Binding, isIoError, LEAST_SQLITE_VERSION, openBinding } from './binding.ts';
import { BUSY_TIMEOUT_MS, LOCK_WAIT_MS, retryWhileBusy } from './busy.ts';
import { type Checkpointer, createCheckpointer } from './checkpointer.ts';
import { watchFile } from './file-watch.ts';
import { createDatabaseFile } from './new-file.ts';
import { CHECK_DEFAULTS, type CheckOptions, type QuickCheck, startQuickCheck } from './quick-check.ts';
import { createWriter, type Writer } from './writer.ts';

/** How a store opens its file. */
export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** Accept an existing file of zero bytes as a new database. */
  readonly init: boolean;
  readonly syncMode: SyncMode;
  /** A look-up or a write longer than this is interrupted; 5 s where it is not said. */
  readonly statementTimeoutMs?: number;
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
  /** Called after another process, or another connection than the writer, has committed; within 250 ms. */
  onForeignCommit(listener: () => void): void;
  /** Drains the writer, checkpoints, closes. After a fatal error it is left as it is: the process must end. */
  close(drainMs: number): Promise<void>;
}

/**
 * A statement longer than this is interrupted (reliability.md section 4). Maintenance pages by itself and is exempt; so
 * is a migration, which moves whole tables and would otherwise never get done on a large file.
 */
const STATEMENT_TIMEOUT_MS = 5_000;
const FOREIGN_POLL_MS = 100;
/**
 * Twice what a batch of reports writes, so that none of it goes to the log early. The leaves reports go to lie all over
 * the file: 32 MiB of them did not make a report faster.
 */
const WRITER_CACHE_KIB = 12 * 1024;
/** The upper levels of the indexes of ten million rows. Every commit empties it. */
const READER_CACHE_KIB = 4 * 1024;

/**
 * Opens a database file, creating it where that is asked for.
 * @throws StorageError when the file is absent, empty, damaged, locked or cannot be written; the message says what to do
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const file = path.resolve(options.file);
  const existed = checkFile(file, options);
  // SQLite removes the -wal when the last connection closes cleanly: one that is left means a crash, or a live neighbour.
  const unclean = fs.existsSync(`${file}-wal`);
  if (options.readOnly) return openReadOnly(file, options);
  if (!fs.existsSync(file)) await createDatabaseFile(file);
  if (!existed || !unclean) return openWritable(file, options, null);
  const { besideFromBytes, sql } = { ...CHECK_DEFAULTS, ...options.check };
  const check = () => startQuickCheck(file, options.log, sql);
  if (fileSize(file) >= besideFromBytes) return openWritable(file, options, check);
  // Before any connection that writes: its end, too, would write to a file that is damaged.
  await check().done;
  return openWritable(file, options, null);
}

function checkFile(file: string, { readOnly, init }: DatabaseOptions): boolean {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw new StorageError('storage-missing', `${file} is not a file`);
  if (!found) {
    if (readOnly) {
      throw new StorageError('storage-missing', `no database at ${file}; a read-only server creates nothing`);
    }
    if (!fs.existsSync(path.dirname(file))) {
      throw new StorageError('storage-missing', `the folder of the database does not exist: ${path.dirname(file)}`);
    }
    return false;
  }
  if (found.size === 0 && !init) {
    const advice = readOnly ? '' : '; restore a backup, or start with --init to begin a new database there';
    throw new StorageError('storage-missing', `${file} is empty (0 bytes) where a database was expected${advice}`);
  }
  return found.size > 0;
}

function fileSize(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** @param startCheck checks the file while it is open, or null */
async function openWritable(
  file: string,
  options: DatabaseOptions,
  startCheck: (() => QuickCheck) | null,
): Promise<Database> {
  const { log } = options;
  const opened: Binding[] = [];
  const open = async () => {
    const connection = await openBinding(file, 'create');
    opened.push(connection);
    await connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA wal_autocheckpoint = 0`);
    return connection;
  };
  try {
    const connection = await open();
    await requireVersion(connection);
    await patiently(() => enterWalMode(connection, file));
    const synchronous = options.syncMode.kind === 'immediate' ? 'FULL' : 'NORMAL';
    await connection.exec(
      `PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -${WRITER_CACHE_KIB}; PRAGMA temp_store = MEMORY;
       PRAGMA journal_size_limit = ${64 * 1024 * 1024}; PRAGMA cell_size_check = ON`,
    );
    const [lookups, reads, maintenance] = [await open(), await open(), await open()];
    // A connection opens the log at its first read, and cannot while the file is gone: so it reads now.
    for (const each of [lookups, reads, maintenance])
      await patiently(() => each.all('SELECT count(*) FROM sqlite_master'));
    for (const reader of [lookups, reads])
      await reader.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}; PRAGMA query_only = ON`);
    return await assembleWritable(file, options, { connection, lookups, reads, maintenance });
  } catch (error) {
    await Promise.allSettled(opened.map((connection) => connection.close()));
    throw error;
  }

  async function assembleWritable(
    file: string,
    options: DatabaseOptions,
    { connection, lookups, reads, maintenance }: Record<'connection' | 'lookups' | 'reads' | 'maintenance', Binding>,
  ): Promise<Database> {
    let fatal: StorageError | null = null;
    const onFatal = (error: StorageError) => {
      if (fatal) return;
      fatal = error;
      writer.block(error);
      checkpointer?.stop();
      options.onFatal(error);
    };
    let checkpointer: Checkpointer | null = null;
    const writer = createWriter({ connection, onCommit: () => checkpointer?.committed(), onFatal });
    const check = startCheck?.() ?? null;
    check?.done.catch((error) => {
      if (error.code === 'storage-corrupt' || isIoError(error)) onFatal(error);
      else log.warn('the database file could not be checked after an unclean stop', { file, error });
    });
    const checking = () => check?.running ?? false;
    checkpointer = createCheckpointer({ file, mode: options.syncMode, maintenance, writer, log, onFatal, checking });
    const watch = watchFile(file, (missing) => {
      if (missing) log.error('database file lost: writes are refused', { error: missing });
      else log.warn('the database file is back: writes go on', { file });
      if (!fatal) writer.block(missing);
    });
    let migrations = 0;
    const clock = interruptLongStatements(options, () =>
      migrations > 0 ? [lookups, reads] : [connection, lookups, reads],
    );
    const foreign = pollForeignCommits((run) => writer.between(run));
    return {
      file,
      readOnly: false,
      writer,
      lookups,
      reads,
      maintenance,
      async addSchema(schema) {
        migrations++;
        try {
          await writer.slice((transaction) => schema.migrate(transaction, log));
        } finally {
          migrations--;
        }
        await schema.prepareWriter?.(connection);
      },
      read: (on, sql, params) => patientRead(on, sql, params, onFatal),
      onForeignCommit: foreign.listen,
      async close(drainMs) {
        watch.close();
        foreign.close();
        await writer.drain(drainMs);
        clock.close();
        // Nobody waits for what these read any more, and either may take longer than a stop may.
        await check?.stop();
        await interruptUntilIdle(maintenance);
        if (!fatal) await checkpointer.close();
        // Closing would write the log into a file that is damaged, or on a disk that fails. Left as after a crash, the
        // file is checked at the next start.
        if (fatal) return;
        // The writer last: the connection that closes last removes the -wal.
        for (const each of [lookups, reads, maintenance, connection]) await each.close();
      },
    };
  }
}

async function openReadOnly(file: string, options: DatabaseOptions): Promise<Database> {
  const mode = await readableMode(file);
  const opened: Binding[] = [];
  const open = async () => {
    const connection = await openBinding(file, mode);
    opened.push(connection);
    await connection.exec(
      `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA cache_size = -${READER_CACHE_KIB}; PRAGMA query_only = ON`,
    );
    return connection;
  };
  try {
    const [lookups, reads, maintenance] = [await open(), await open(), await open()];
    await requireVersion(reads);
    return assembleReadOnly(file, options, { lookups, reads, maintenance });
  } catch (error) {
    await Promise.allSettled(opened.map((connection) => connection.close()));
    throw error;
  }
}

function assembleReadOnly(
  file: string,
  options: DatabaseOptions,
  { lookups, reads, maintenance }: Record<'lookups' | 'reads' | 'maintenance', Binding>,
): Database {
  const clock = interruptLongStatements(options, () => [lookups, reads]);
  const foreign = pollForeignCommits((run) => run(reads));
  return {
    file,
    readOnly: true,
    writer: null,
    lookups,
    reads,
    maintenance,
    async addSchema(schema) {
      const rows = await reads.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
      const missing = schema.tables.filter((table) => !rows.some((row) => row.name === table));
      if (missing.length === 0) return;
      throw new StorageError(
        'storage-missing',
        `${file} has no ${schema.name} table ${missing[0]}; a read-only server creates and migrates nothing: open it once with a writable server`,
      );
    },
    read: (on, sql, params) => patientRead(on, sql, params, options.onFatal),
    onForeignCommit: foreign.listen,
    async close() {
      foreign.close();
      clock.close();
      for (const connection of [lookups, reads, maintenance]) await connection.close();
    },
  };
}

/** `read`, or `immutable` where the folder cannot be written and there is no -wal to read (a read-only mount). */
async function readableMode(file: string): Promise<'read' | 'immutable'> {
  const probe = await openBinding(file, 'read');
  try {
    await probe.all('SELECT count(*) FROM sqlite_master');
    return 'read';
  } catch (error) {
    const code = error instanceof StorageError ? error.code : '';
    if (code !== 'storage-missing' && code !== 'storage-read-only') throw error;
    if (fileSize(`${file}-wal`) === 0) return 'immutable';
    throw new StorageError(
      'storage-read-only',
      `${file} has a write-ahead log that cannot be read here; stop the server that writes it cleanly, or mount the folder writable`,
      error,
    );
  } finally {
    await probe.close();
  }
}

async function requireVersion(connection: Binding): Promise<void> {
  const [row] = await connection.all<{ version: string }>('SELECT sqlite_version() AS version');
  const number = (version: string) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  if (number(row!.version) >= number(LEAST_SQLITE_VERSION)) return;
  throw new ConfigError(
    `SQLite ${row!.version} can corrupt databases; ${LEAST_SQLITE_VERSION} or later is needed: run npm ci`,
  );
}

async function enterWalMode(connection: Binding, file: string): Promise<void> {
  const [row] = await connection.all<{ journal_mode: string }>('PRAGMA journal_mode = WAL');
  if (row?.journal_mode === 'wal') return;
  throw new StorageError(
    'storage-read-only',
    `${file} cannot be put into WAL mode: is the folder writable and on a local disk?`,
  );
}

function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  return retryWhileBusy(attempt, () => deadline);
}

async function patientRead<Row>(
  connection: Binding,
  sql: string,
  params: readonly (string | number | null)[] | undefined,
  onFatal: (error: StorageError) => void,
): Promise<Row[]> {
  try {
    return await connection.all<Row>(sql, params);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === 'storage-busy') return patiently(() => connection.all<Row>(sql, params));
    if (error.code === 'storage-corrupt') onFatal(error);
    throw error;
  }
}

function interruptLongStatements(
  { statementTimeoutMs = STATEMENT_TIMEOUT_MS }: DatabaseOptions,
  connections: () => readonly Binding[],
): { close: () => void } {
  const look = () => {
    const now = performance.now();
    for (const connection of connections()) if (connection.busyMs(now) > statementTimeoutMs) connection.interrupt();
  };
  const timer = setInterval(look, Math.min(500, statementTimeoutMs));
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** Again and again: an interrupt that comes before the thread has taken the statement up is lost. */
async function interruptUntilIdle(connection: Binding): Promise<void> {
  while (connection.busyMs(performance.now()) > 0) {
    connection.interrupt();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Notices commits of others by `PRAGMA data_version`, which changes for every commit of another connection. Asked on
 * the writer it tells those of other processes; our own maintenance connection does not write.
 */
function pollForeignCommits(run: (job: (connection: Binding) => Promise<void>) => Promise<void>) {
  const listeners: (() => void)[] = [];
  let known: number | null = null;
  let asking = false;
  const timer = setInterval(async () => {
    if (asking || listeners.length === 0) return;
    asking = true;
    try {
      await run(async (connection) => {
        const [row] = await connection.all<{ data_version: number }>('PRAGMA data_version');
        // The first look counts as a change too: what happened since the start was seen by nobody.
        if (known !== row!.data_version) for (const listener of listeners) listener();
        known = row!.data_version;
      });
    } catch {
      // Closing, or the file is gone: nothing to notice any more.
    } finally {
      asking = false;
    }
  }, FOREIGN_POLL_MS);
  timer.unref();
  return {
    listen: (listener: () => void) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}
