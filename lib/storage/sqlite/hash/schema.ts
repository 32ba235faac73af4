import type { Logger } from '../../../log.ts';
import type { Binding } from '../engine/binding.ts';
import type { Schema } from '../engine/database.ts';

/**
 * BitBake's own tables and indexes: a file stays usable by BitBake's server. But not its taskhash_lookup_v4, which repeats
 * the UNIQUE one: without it a report in a batch of 256 writes 4.4 pages of a 1,000,000-row file instead of 5.8, and one in a
 * batch of 6 writes 6.8 instead of 7.8. A file that has it keeps it: to drop it, all of it must be read under the write lock.
 *
 * Tried, and not worth it: batches sorted by key write as many pages (4.38 for 4.37) in the same time; with pages of 2 KiB
 * a report takes 6.3 of them and a fifth more processor time; with 8 KiB it takes 3.5, so 60 % more bytes go to the log.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS unihashes_v3 (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT NOT NULL,
  gc_mark TEXT NOT NULL, UNIQUE(method, taskhash));
CREATE TABLE IF NOT EXISTS outhashes_v2 (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL, outhash TEXT NOT NULL,
  created DATETIME, owner TEXT, PN TEXT, PV TEXT, PR TEXT, task TEXT, outhash_siginfo TEXT,
  UNIQUE(method, taskhash, outhash));
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, token TEXT NOT NULL, permissions TEXT NOT NULL,
  UNIQUE(username));
CREATE TABLE IF NOT EXISTS config (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, value TEXT, UNIQUE(name));
DROP INDEX IF EXISTS taskhash_lookup;
DROP INDEX IF EXISTS taskhash_lookup_v2;
DROP INDEX IF EXISTS taskhash_lookup_v3;
DROP INDEX IF EXISTS outhash_lookup;
DROP INDEX IF EXISTS outhash_lookup_v2;
DROP TABLE IF EXISTS tasks_v2;
CREATE INDEX IF NOT EXISTS unihash_lookup_v1 ON unihashes_v3 (unihash);
CREATE INDEX IF NOT EXISTS outhash_lookup_v3 ON outhashes_v2 (method, outhash);
CREATE INDEX IF NOT EXISTS config_lookup ON config (name);
`;

/**
 * A table from before garbage collection; its rows start unmarked. Rows already in v3 win. Blobs become texts: no
 * look-up finds a blob, and no stream can answer with one.
 */
const MOVE_V2 = `
INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
  SELECT CAST(method AS TEXT), CAST(taskhash AS TEXT), CAST(unihash AS TEXT), '' FROM unihashes_v2 WHERE true ORDER BY id ON CONFLICT (method, taskhash) DO NOTHING;
DROP TABLE unihashes_v2;
`;

/** The mark that a row stored now gets: the current one, if there is one (docs/protocol.md). */
export const NEW_MARK = "coalesce((SELECT value FROM config WHERE name = 'gc-mark'), '')";

/** `created` in one form, so that texts compare as times: older files have a blank where ISO 8601 has a T. */
export const CREATED = (column: string) => `replace(${column}, ' ', 'T')`;

/** A report as a row of the view `report`, in the order the batch statement binds it; `i`, its place in the batch, comes first. */
export const REPORT_COLUMNS = [
  'method',
  'taskhash',
  'outhash',
  'unihash',
  'created',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
  'upstreamUnihash',
] as const;

/**
 * Applies one report by the rule of docs/protocol.md (Reports): a task without a unihash gets one, whether it is new or lost
 * it while its outhash row stayed. As a trigger on a view, a whole batch of reports is one
 * INSERT … SELECT: applied row by row in order, in one transaction, with one thread hop. Being TEMP, neither is
 * written to the file. The look-up by outhash relies on outhash_lookup_v3, the one by taskhash on the UNIQUE index.
 */
const REPORT_TRIGGER = `
CREATE TEMP VIEW report AS
  SELECT NULL AS i, ${REPORT_COLUMNS.map((column) => `NULL AS ${column}`).join(', ')} WHERE 0;
CREATE TEMP TRIGGER apply_report INSTEAD OF INSERT ON report BEGIN
  INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
    SELECT NEW.method, NEW.taskhash,
      coalesce((
        SELECT u.unihash FROM outhashes_v2 o CROSS JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash
        WHERE o.method = NEW.method AND o.outhash = NEW.outhash AND o.taskhash <> NEW.taskhash
        ORDER BY ${CREATED('o.created')}, o.id LIMIT 1
      ), NEW.upstreamUnihash, NEW.unihash),
      ${NEW_MARK}
    WHERE NOT EXISTS (SELECT 1 FROM unihashes_v3 WHERE method = NEW.method AND taskhash = NEW.taskhash)
    ON CONFLICT (method, taskhash) DO NOTHING;
  INSERT INTO outhashes_v2 (method, taskhash, outhash, created, owner, PN, PV, PR, task, outhash_siginfo)
    VALUES (NEW.method, NEW.taskhash, NEW.outhash, NEW.created, NEW.owner, NEW.PN, NEW.PV, NEW.PR, NEW.task, NEW.outhash_siginfo)
    ON CONFLICT (method, taskhash, outhash) DO NOTHING;
END;
`;

export const HASH_SCHEMA: Schema = {
  name: 'hash equivalence',
  tables: ['unihashes_v3', 'outhashes_v2', 'users', 'config'],
  signs: ['unihashes_v3', 'unihashes_v2', 'outhashes_v2', 'tasks_v2'],
  async migrate(connection: Binding, log: Logger) {
    await connection.exec(TABLES);
    const [old] = await connection.all("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'unihashes_v2'");
    if (!old) return;
    log.info('moving the rows of unihashes_v2 into unihashes_v3');
    await connection.exec(MOVE_V2);
  },
  prepareWriter: (connection) => connection.exec(REPORT_TRIGGER),
};
