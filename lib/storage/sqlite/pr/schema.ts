import type { Logger } from '../../../log.ts';
import { MAX_VALUE_CHARACTERS } from '../../../prserv/revision.ts';
import type { Binding } from '../engine/binding.ts';
import type { Schema } from '../engine/database.ts';

const TABLE = `
CREATE TABLE IF NOT EXISTS PRMAIN (
  version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT,
  PRIMARY KEY (version, pkgarch, checksum, value))`;

/** Tables from before 2024, and those of the Rust server: INTEGER values, one row a checksum. They stay as they are. */
const OLD_TABLES = ['PRMAIN_nohist', 'PRMAIN_hist'];

/** Countable values (isCountable in revision.ts): numbers and dotted numbers, stored as integers, reals or texts. */
const AS_TEXT = 'CAST(o.value AS TEXT)';
const COUNTABLE = `(typeof(o.value) IN ('integer', 'real', 'text') AND ${AS_TEXT} GLOB '[0-9]*' AND ${AS_TEXT} GLOB '*[0-9]'
  AND ${AS_TEXT} NOT GLOB '*[^0-9.]*' AND ${AS_TEXT} NOT GLOB '*..*' AND length(${AS_TEXT}) <= ${MAX_VALUE_CHARACTERS})`;

/** Every such value, however large: one left behind would be given out again, or a smaller one after it. */
const CARRY = (table: string) => `
INSERT INTO PRMAIN (version, pkgarch, checksum, value)
  SELECT o.version, o.pkgarch, o.checksum, ${AS_TEXT} FROM "${table}" o
  WHERE ${COUNTABLE}
    AND NOT EXISTS (
      SELECT 1 FROM PRMAIN p WHERE p.version = o.version AND p.pkgarch = o.pkgarch AND p.checksum = o.checksum
        AND p.value = ${AS_TEXT})`;

const PASSED_OVER = (table: string) => `
SELECT count(*) AS rows, min(o.version || ' ' || o.pkgarch || ' ' || o.checksum || ': ' || quote(o.value)) AS example
FROM "${table}" o WHERE NOT ${COUNTABLE}`;

/** Packages that have only such values. */
const BEGINNING_AGAIN = (table: string) => `
SELECT count(*) AS packages, group_concat(name, ', ') FILTER (WHERE n <= 20) AS names FROM (
  SELECT o.version || ' ' || o.pkgarch AS name, row_number() OVER (ORDER BY o.version, o.pkgarch) AS n FROM "${table}" o
  WHERE NOT ${COUNTABLE}
    AND NOT EXISTS (SELECT 1 FROM PRMAIN p WHERE p.version = o.version AND p.pkgarch = o.pkgarch)
  GROUP BY o.version, o.pkgarch)`;

/** Logs which values of an older table cannot be counted on from: later nobody could tell why a package went back to 0. */
async function warnOfPassedOver(connection: Binding, log: Logger, table: string): Promise<void> {
  const [passed] = await connection.all<{ rows: number; example: string }>(PASSED_OVER(table));
  if (passed!.rows === 0) return;
  log.warn('values of an older table that are no numbers are skipped', { table, ...passed! });
  const [again] = await connection.all<{ packages: number; names: string }>(BEGINNING_AGAIN(table));
  if (again!.packages === 0) return;
  log.warn(
    'of these packages nothing but such values is known: they begin again at 0, unless the last value they were given is imported',
    { table, ...again! },
  );
}

export const PR_SCHEMA: Schema = {
  name: 'PR',
  tables: ['PRMAIN'],
  signs: ['PRMAIN', ...OLD_TABLES],
  async migrate(connection: Binding, log: Logger) {
    await connection.run(TABLE);
    const found = await connection.all<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('${OLD_TABLES.join("', '")}')`,
    );
    // Each time the file is opened, not only the first: an older BitBake may have written there meanwhile.
    for (const { name } of found) {
      const carried = await connection.run(CARRY(name));
      if (carried > 0) log.info('carried the PR values of an older table into PRMAIN', { table: name, rows: carried });
      await warnOfPassedOver(connection, log, name);
    }
  },
};
