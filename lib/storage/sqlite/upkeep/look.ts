import fs from 'node:fs';
import { StorageError } from '../../../errors.ts';
import { type Binding, openBinding } from '../engine/binding.ts';
import { BUSY_TIMEOUT_MS } from '../engine/busy.ts';
import { patiently } from '../engine/connections.ts';
import { readableMode } from '../file/read-only.ts';
import { appearance } from '../file/unlocked-file.ts';

/**
 * Opens a database that may be in use, to read it; the caller closes it. Where there is no log, nobody has it open: then
 * as one who may write, since only such a connection takes the log it brings along away again. One that stayed would
 * be taken for the trace of a crash at the next start.
 * @param signal ends whatever runs on it when it is aborted
 * @throws StorageError when there is no such file, or it cannot be opened
 */
export async function openToLook(file: string, signal?: AbortSignal): Promise<Binding> {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (!found) throw new StorageError('storage-missing', `no database at ${file}`);
  if (!found.isFile()) throw new StorageError('storage-missing', `${file} is not a file`);
  const connection = await openBinding(file, fs.existsSync(`${file}-wal`) ? 'read' : 'write');
  await connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return signal ? endedBy(signal, connection) : connection;
}

/** A connection that only reads. */
export interface Unwritten {
  readonly connection: Binding;
  /** @throws StorageError where the file was read without locks, and somebody has written to it since it was opened */
  unchanged(): Promise<void>;
}

/** What SQLite says where it can make no files beside a database, as in the folder of another user. */
const NO_FILES: readonly string[] = ['storage-missing', 'storage-read-only', 'storage-full'];

/**
 * As `openToLook`; also where nothing can be written beside the file, which is then read without locks.
 * @throws StorageError when it cannot be opened
 */
export async function openUnwritten(file: string): Promise<Unwritten> {
  const connection = await openToLook(file);
  try {
    await patiently(() => connection.all('SELECT count(*) FROM sqlite_master'));
    return { connection, unchanged: async () => {} };
  } catch (error) {
    await connection.close();
    if (!(error instanceof StorageError) || !NO_FILES.includes(error.code)) throw error;
  }
  const seen = await appearance(file);
  const mode = await readableMode(file);
  return {
    connection: await openBinding(file, mode),
    async unchanged() {
      if (mode === 'read' || (await appearance(file)) === seen) return;
      throw new StorageError(
        'storage-busy',
        `${file} has changed while it was read, without locks as nothing can be written in its folder: try again when nobody writes to it`,
      );
    },
  };
}

/** Repeatedly: an interrupt ends what runs, and there may be a moment when nothing does. */
const INTERRUPT_EVERY_MS = 20;

function endedBy(signal: AbortSignal, connection: Binding): Binding {
  let timer: NodeJS.Timeout | null = null;
  const end = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return {
    ...connection,
    async close() {
      signal.removeEventListener('abort', end);
      if (timer !== null) clearInterval(timer);
      await connection.close();
    },
  };
}

/** What a file holds the tables of. */
export interface Holds {
  readonly hashserv: boolean;
  readonly prserv: boolean;
}

const HOLDS = `SELECT max(name = 'unihashes_v3') AS hashserv, max(name = 'PRMAIN') AS prserv FROM sqlite_master`;

/**
 * Which services a database is for.
 * @throws StorageError when it cannot be read
 */
export async function servicesIn(file: string): Promise<Holds> {
  const connection = await openToLook(file);
  try {
    const [row] = await patiently(() => connection.all<Record<keyof Holds, number | null>>(HOLDS));
    return { hashserv: row?.hashserv === 1, prserv: row?.prserv === 1 };
  } finally {
    await connection.close();
  }
}
