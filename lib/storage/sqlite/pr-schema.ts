import type { Logger } from '../../log.ts';
import type { Binding } from './binding.ts';
import type { Schema } from './database.ts';

const TABLE = `
CREATE TABLE IF NOT EXISTS PRMAIN (
  version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT,
  PRIMARY KEY (version, pkgarch, checksum, value))`;

/** Tables from before 2024, also those of the Rust server: INTEGER values, one row a checksum. They stay as they are. */
const OLD_TABLES = ['PRMAIN_nohist', 'PRMAIN_hist'];

/**
 * Every non-negative integer, however large: a value that stays behind here would be given out again, or a smaller one
 * after it.
 */
const CARRY = (table: string) => `
INSERT INTO PRMAIN (version, pkgarch, checksum, value)
  SELECT o.version, o.pkgarch, o.checksum, CAST(o.value AS TEXT) FROM "${table}" o
  WHERE typeof(o.value) = 'integer' AND o.value >= 0
    AND NOT EXISTS (
      SELECT 1 FROM PRMAIN p WHERE p.version = o.version AND p.pkgarch = o.pkgarch AND p.checksum = o.checksum
        AND p.value = CAST(o.value AS TEXT))`;

export const PR_SCHEMA: Schema = {
  name: 'PR',
  tables: ['PRMAIN'],
  async migrate(connection: Binding, log: Logger) {
    await connection.run(TABLE);
    const found = await connection.all<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('${OLD_TABLES.join("', '")}')`,
    );
    // At every opening, not only the first: an older BitBake may have gone on writing there meanwhile.
    for (const { name } of found) {
      const carried = await connection.run(CARRY(name));
      if (carried > 0) log.info('carried the PR values of an older table into PRMAIN', { table: name, rows: carried });
    }
  },
};
