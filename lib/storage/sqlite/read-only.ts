import { StorageError } from '../../errors.ts';
import { type Binding, openBinding } from './binding.ts';
import { BUSY_TIMEOUT_MS } from './busy.ts';
import { fileSize, interruptLongStatements, patientRead, READER_CACHE_KIB, requireVersion } from './connections.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { createDoubt } from './doubt.ts';
import { pollForeignCommits } from './foreign-commits.ts';

/** Opens a file for a server that only reads: it creates and migrates nothing. */
export async function openReadOnly(file: string, options: DatabaseOptions): Promise<Database> {
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
    return assemble(file, options, { lookups, reads, maintenance });
  } catch (error) {
    await Promise.allSettled(opened.map((connection) => connection.close()));
    throw error;
  }
}

function assemble(
  file: string,
  options: DatabaseOptions,
  { lookups, reads, maintenance }: Record<'lookups' | 'reads' | 'maintenance', Binding>,
): Database {
  const clock = interruptLongStatements(options, () => [lookups, reads]);
  const { log, onFatal } = options;
  const doubt = createDoubt({ file, log, checkSql: options.check?.sql, hold() {}, onFatal });
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
    read: (on, sql, params) => patientRead(on, sql, params, doubt),
    tryWrite: async () => {},
    onForeignCommit: foreign.listen,
    async close() {
      foreign.close();
      clock.close();
      await doubt.stop();
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
