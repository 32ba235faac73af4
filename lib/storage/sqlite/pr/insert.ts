import type { PrRow } from '../../../prserv/store.ts';

const ROWS = 'SELECT q.value->>0, q.value->>1, q.value->>2, q.value->>3 FROM json_each(?) q';

/** Stores rows, as `encodeRows` writes them; those that are there are left alone. */
export const INSERT = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS} WHERE true
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

/**
 * Inserts only if no other connection has committed since the given version: what the rows were decided from is then
 * still valid. The subquery is evaluated under the write lock, which a writing statement takes as it starts.
 */
export const INSERT_IF_UNCHANGED = `INSERT INTO PRMAIN (version, pkgarch, checksum, value) ${ROWS}
  WHERE (SELECT data_version FROM pragma_data_version) = ?
  ON CONFLICT (version, pkgarch, checksum, value) DO NOTHING`;

export function encodeRows(rows: readonly PrRow[]): string {
  return JSON.stringify(rows.map(({ version, pkgarch, checksum, value }) => [version, pkgarch, checksum, value]));
}
