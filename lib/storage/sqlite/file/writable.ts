import { StorageError } from '../../../errors.ts';
import { StoreFigures } from '../../../meter/store-figures.ts';
import { type Binding, openBinding } from '../engine/binding.ts';
import { BUSY_TIMEOUT_MS } from '../engine/busy.ts';
import { type Checkpointer, createCheckpointer } from '../engine/checkpointer.ts';
import {
  createStatementClock,
  interruptWhile,
  LONG_READ_CACHE_KIB,
  openReader,
  patiently,
  READER_CACHE_KIB,
  requireVersion,
} from '../engine/connections.ts';
import { type Database, type DatabaseOptions, holdsSchema } from '../engine/database.ts';
import { createDiskRoom } from '../engine/disk-room.ts';
import { createDoubt } from '../engine/doubt.ts';
import { createForeignCommits } from '../engine/foreign-commits.ts';
import { createLentReaders } from '../engine/lent-readers.ts';
import { patientRead } from '../engine/patient-read.ts';
import type { QuickCheck } from '../engine/quick-check.ts';
import { createWriteConnection } from '../engine/write-connection.ts';
import { createWriter } from '../engine/writer.ts';
import { findOwnDescriptor } from './own-descriptor.ts';
import { createRowCounter } from './row-counter.ts';
import { watchFile } from './watch.ts';

/**
 * Twice what a batch of reports writes, so that none of it spills into the log early. Reports go to pages all over
 * the file: caching 32 MiB of them did not make a report faster.
 */
const WRITER_CACHE_KIB = 12 * 1024;

/**
 * Opens a file for a server that writes.
 * @param startCheck checks the file while it is open, or null
 */
export async function openWritable(
  file: string,
  options: DatabaseOptions,
  startCheck: (() => QuickCheck) | null,
): Promise<Database> {
  const opened: Binding[] = [];
  const open = async () => {
    const connection = await openConnection(file);
    opened.push(connection);
    return connection;
  };
  try {
    const connection = await open();
    await requireVersion(connection);
    await patiently(() => enterWalMode(connection, file));
    await patiently(() => requireWritable(connection, file));
    await patiently(() => connection.exec(writerPragmas(options)));
    const [lookups, reads, maintenance] = [await open(), await open(), await open()];
    // A connection opens the log at its first read, and cannot once the file is gone: so it reads now.
    for (const each of [lookups, reads, maintenance])
      await patiently(() => each.all('SELECT count(*) FROM sqlite_master'));
    for (const reader of [lookups, reads])
      await reader.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}; PRAGMA query_only = ON`);
    return assemble(file, options, { connection, lookups, reads, maintenance }, startCheck);
  } catch (error) {
    await Promise.allSettled(opened.map((connection) => connection.close()));
    throw error;
  }
}

async function openConnection(file: string): Promise<Binding> {
  const connection = await openBinding(file, 'create');
  await connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA wal_autocheckpoint = 0`);
  return connection;
}

/** One more connection that writes, set up like the first. */
async function openAnotherWriter(file: string, options: DatabaseOptions): Promise<Binding> {
  const connection = await openConnection(file);
  try {
    await connection.exec(writerPragmas(options));
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function writerPragmas({ syncMode }: DatabaseOptions): string {
  const synchronous = syncMode.kind === 'immediate' ? 'FULL' : 'NORMAL';
  return `PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -${WRITER_CACHE_KIB}; PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = ${64 * 1024 * 1024}; PRAGMA cell_size_check = ON`;
}

async function enterWalMode(connection: Binding, file: string): Promise<void> {
  const [row] = await connection.all<{ journal_mode: string }>('PRAGMA journal_mode = WAL');
  if (row?.journal_mode === 'wal') return;
  throw new StorageError(
    'storage-read-only',
    `${file} cannot be put into WAL mode: is the folder writable and on a local disk?`,
  );
}

/** Rewrites a page unchanged: this needs lock, log and disk as a report does, but changes nothing. */
async function rewriteHeader(connection: Binding): Promise<void> {
  const [row] = await connection.all<{ user_version: number }>('PRAGMA user_version');
  await connection.exec(`PRAGMA user_version = ${row!.user_version}`);
}

/**
 * SQLite opens a file that it may not write as read-only, treats BEGIN IMMEDIATE as BEGIN there, and reports nothing
 * until a write that changes something.
 */
async function requireWritable(connection: Binding, file: string): Promise<void> {
  try {
    await connection.exec('BEGIN IMMEDIATE; CREATE TABLE bakeserv_may_write (n); ROLLBACK');
  } catch (error) {
    await connection.exec('ROLLBACK').catch(() => {});
    if (!(error instanceof StorageError) || error.code !== 'storage-read-only') throw error;
    const advice = 'correct its permissions or the mount, or start with --read-only';
    throw new StorageError('storage-read-only', `${file} cannot be written: ${advice}`, error);
  }
}

/** Assembles the database from its connections and the parts around them. */
function assemble(
  file: string,
  options: DatabaseOptions,
  { connection, lookups, reads, maintenance }: Record<'connection' | 'lookups' | 'reads' | 'maintenance', Binding>,
  startCheck: (() => QuickCheck) | null,
): Database {
  const { log } = options;
  const figures = new StoreFigures();
  let fatal: StorageError | null = null;
  const onFatal = (error: StorageError) => {
    if (fatal) return;
    fatal = error;
    writer.block('failure', error);
    checkpointer?.stop();
    options.onFatal(error);
  };
  let checkpointer: Checkpointer | null = null;
  const doubt = createDoubt({
    file,
    log,
    checkSql: options.check?.sql,
    hold: (reason) => writer.block('check', reason),
    onFatal,
  });
  let migrations = 0;
  const clock = createStatementClock(options, () =>
    migrations > 0 || writer.unhurried ? [lookups, reads] : [writing.current, lookups, reads],
  );
  for (const each of [connection, lookups, reads]) clock.watch(each);
  const writing = createWriteConnection({
    first: connection,
    async open() {
      const another = await openAnotherWriter(file, options);
      clock.watch(another);
      return another;
    },
    log,
    onFatal,
    figures,
    reopenAfterMs: options.reopenAfterMs,
  });
  const onCommit = () => checkpointer?.committed();
  const watch = watchFile(file, (missing) => {
    if (missing) log.error('database file lost: writes are refused', { error: missing });
    else log.warn('the database file is back: writes go on', { file });
    writer.block('file', missing);
  });
  const { beforeWrite } = watch;
  const writer = createWriter({
    connection: writing,
    doubt,
    room: createDiskRoom(file),
    beforeWrite,
    onCommit,
    onFatal,
    figures,
  });
  const check = startCheck?.() ?? null;
  check?.done.catch((error) => {
    if (error.code === 'storage-corrupt' || error.code === 'storage-io') onFatal(error);
    else log.warn('the database file could not be checked after an unclean stop', { file, error });
  });
  const checking = () => check?.running ?? false;
  const syncFile = findOwnDescriptor(file).sync;
  const parts = { maintenance, writer, doubt, log, onFatal, checking, figures, syncFile };
  checkpointer = createCheckpointer({ file, mode: options.syncMode, ...parts });
  const onClose: (() => void)[] = [];
  const foreign = createForeignCommits((run) => writer.between(run));
  const read: Database['read'] = (on, sql, params) => patientRead(on, sql, params, doubt);
  const readers = createLentReaders(() => openReader(file, 'read', LONG_READ_CACHE_KIB));
  const tables = new Set<string>();
  const whenClosing = (listener: () => void) => void onClose.push(listener);
  return {
    file,
    readOnly: false,
    counts: createRowCounter({ maintenance, read, onClose: whenClosing }, tables, log),
    figures,
    writer,
    lookups,
    reads,
    maintenance,
    holds: (schema) => patiently(() => holdsSchema(reads, schema)),
    async addSchema(schema) {
      migrations++;
      try {
        await writer.slice((transaction) => schema.migrate(transaction, log));
      } finally {
        migrations--;
      }
      const { prepareWriter } = schema;
      if (prepareWriter) await writer.between(() => writing.prepare(prepareWriter));
      for (const table of schema.tables) tables.add(table);
    },
    read,
    openReader: readers.open,
    tryWrite: () => writer.slice(rewriteHeader),
    onForeignCommit: foreign.listen,
    foreignSeenAt: foreign.seenAt,
    lookForForeign: foreign.look,
    onClose: whenClosing,
    async close(drainMs) {
      for (const listener of onClose) listener();
      watch.close();
      foreign.close();
      await readers.close();
      await writer.drain(drainMs);
      clock.close();
      // Nobody waits for the result any more, and either may take longer than a stop may.
      await check?.stop();
      await doubt.stop();
      await interruptWhile(() => maintenance.busyMs(performance.now()) > 0, maintenance.interrupt);
      if (!fatal) await checkpointer.close();
      // Closing would write the log into a corrupt file, or to a failing disk. Left as after a crash, the
      // file is checked at the next start.
      if (fatal) return;
      // The writer last: the connection that closes last removes the -wal.
      for (const each of [lookups, reads, maintenance, writing.current]) await each.close();
    },
  };
}
