import fs from 'node:fs';
import { errorText, StorageError } from '../../../errors.ts';
import { type JobArchive, type JobQuery, type JobRecord, type JobRecords, KEPT_JOBS } from '../../../jobs/records.ts';
import { type Binding, openBinding } from '../engine/binding.ts';
import { tableNames } from '../engine/database.ts';
import { createDatabaseFile } from '../file/new-file.ts';

/**
 * One row a job: what is asked for by itself in columns, everything else as JSON. AUTOINCREMENT never gives an id a
 * second time. The trigger keeps the table short in the statement that adds a job; of each kind of callers by itself, so
 * that none pushes out what the others did. keep_newest was one for all.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL,
  access TEXT NOT NULL,
  record TEXT NOT NULL,
  log TEXT NOT NULL
);
DROP TRIGGER IF EXISTS keep_newest;
CREATE TRIGGER IF NOT EXISTS keep_newest_of_each AFTER INSERT ON jobs BEGIN
  DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs WHERE state NOT IN ('waiting', 'running') AND access = NEW.access ORDER BY id DESC LIMIT -1 OFFSET ${KEPT_JOBS});
END;`;

const ADD = `INSERT INTO jobs (state, access, record, log) VALUES (?, ?, ?, '[]') RETURNING id`;
const SAVE = 'UPDATE jobs SET state = ?, record = ?, log = ? WHERE id = ?';
const FIND = 'SELECT id, record FROM jobs WHERE id = ?';
const LOG = 'SELECT log FROM jobs WHERE id = ?';
/** A job that is damaged must not keep all others from being read: it is left out, and told when it is asked for by its id. */
const UNFINISHED = `SELECT id, record FROM jobs
  WHERE state IN ('waiting', 'running') AND json_valid(record) AND json_valid(log) ORDER BY id`;
const LISTED = `json_remove(record, '$.result', '$.position') AS record`;
const PAGE = `SELECT id, ${LISTED} FROM jobs WHERE json_valid(record) AND (?1 IS NULL OR access = ?1) AND (?2 IS NULL OR id < ?2)
  AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3))) ORDER BY id DESC LIMIT ?4`;

interface Row {
  readonly id: number;
  readonly record: string;
}

/** The jobs of a server in a file of their own, which one process has open at a time. */
export function jobArchive(file: string): JobArchive {
  return { exists: () => fs.existsSync(file), open: () => openRecords(file) };
}

async function openRecords(file: string): Promise<JobRecords> {
  if (!fs.existsSync(file)) await createDatabaseFile(file);
  const connection = await openBinding(file, 'write');
  try {
    // The lock is held until the end, that of a killed process included: two servers must not go on with one job.
    await connection.exec('PRAGMA busy_timeout = 50; PRAGMA locking_mode = EXCLUSIVE');
    await requireOurs(connection, file);
    await connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`);
    return recordsOn(connection);
  } catch (error) {
    await connection.close();
    if (error instanceof StorageError && error.code === 'storage-busy')
      throw new StorageError('storage-busy', `another server has ${file}`, error, 'another server runs jobs on it');
    throw error;
  }
}

/** A name that is wrong must not put a table into somebody's database. */
async function requireOurs(connection: Binding, file: string): Promise<void> {
  const tables = await tableNames(connection);
  if (tables.size === 0 || tables.has('jobs')) return;
  throw new StorageError('storage-io', `${file} is a database of something else: name another with --jobs-db`);
}

function recordsOn(connection: Binding): JobRecords {
  function parsed<Kept>(id: number, text: string): Kept {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new StorageError('storage-corrupt', `job ${id} cannot be read: ${errorText(error)}`, error);
    }
  }
  const read = ({ id, record }: Row): JobRecord => ({ ...parsed<Omit<JobRecord, 'id'>>(id, record), id });
  return {
    async add(job) {
      const [row] = await connection.all<{ id: number }>(ADD, [job.state, job.access, JSON.stringify(job)]);
      return row!.id;
    },
    async save(job, log) {
      const { id, ...rest } = job;
      await connection.run(SAVE, [job.state, JSON.stringify(rest), JSON.stringify(log), id]);
    },
    async find(id) {
      const [row] = await connection.all<Row>(FIND, [id]);
      return row ? read(row) : null;
    },
    async log(id) {
      const [row] = await connection.all<{ log: string }>(LOG, [id]);
      return row ? parsed<string[]>(id, row.log) : [];
    },
    async page({ access, states, before, limit }: JobQuery) {
      const rows = await connection.all<Row>(PAGE, [access, before, states && JSON.stringify(states), limit]);
      return rows.map(read);
    },
    unfinished: async () => (await connection.all<Row>(UNFINISHED)).map(read),
    close: () => connection.close(),
  };
}
