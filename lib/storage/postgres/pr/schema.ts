import type { PostgresSchema } from '../engine/schema.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS prmain (
  version text NOT NULL,
  pkgarch text NOT NULL,
  checksum text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (version, pkgarch, checksum, value)
)`;

export const PR_SCHEMA: PostgresSchema = {
  name: 'PR',
  tables: ['prmain'],
  missing: (present) => (present.has('prmain') ? [] : [TABLE]),
};
