import type { NewerThan, PackageValues, PrInsightRows, PrPlace } from '../../../prserv/insight-rows.ts';
import type { Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import { interruptWith } from '../engine/lent-readers.ts';
import { HAS_MOMENTS, NEAREST_MOMENT } from './moments.ts';

const KEY = '(version, pkgarch, checksum, value)';
/** In the order of the primary key, which has all that is read. */
const LAST_OF_SLICE = (where: string) =>
  `SELECT version, pkgarch, checksum, value FROM PRMAIN ${where} ORDER BY version, pkgarch, checksum, value LIMIT 1 OFFSET ?`;
/** A text for each package: an object for each value would be many times larger. */
const VALUES = (where: string) => `
SELECT version, pkgarch, sum(rowid > ?) AS newer,
  json_group_array(CASE WHEN typeof(value) = 'text' AND length(value) <= 1024 THEN value END) AS list
FROM PRMAIN ${where} GROUP BY version, pkgarch ORDER BY version, pkgarch`;
/** Of rows that were ever stored: those are about as many as there are. */
const ESTIMATE = 'SELECT coalesce(max(rowid), 0) AS rows FROM PRMAIN';

/**
 * What insights read of a file, on a connection of its own.
 * @param signal interrupts what runs when it is aborted
 */
export async function openInsightRows(database: Database, signal: AbortSignal): Promise<PrInsightRows> {
  const connection = await database.openReader();
  const read = <Row>(sql: string, params: readonly Param[] = []) => database.read<Row>(connection, sql, params);
  const stop = interruptWith(signal, connection);
  const close = async () => {
    stop();
    await connection.close();
  };
  try {
    const [estimate] = await read<{ rows: number }>(ESTIMATE);
    return {
      estimate: estimate!.rows,
      async valuesPage(after, rows, newer) {
        const from = after ? keyOf(after) : [];
        const [last] = await read<PrPlace>(LAST_OF_SLICE(after ? `WHERE ${KEY} > (?, ?, ?, ?)` : ''), [
          ...from,
          rows - 1,
        ]);
        const conditions = [...(after ? [`${KEY} > (?, ?, ?, ?)`] : []), ...(last ? [`${KEY} <= (?, ?, ?, ?)`] : [])];
        const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
        const found = await read<Omit<PackageValues, 'values'> & { list: string }>(VALUES(where), [
          newer === null ? Number.MAX_SAFE_INTEGER : newer.place,
          ...from,
          ...(last ? keyOf(last) : []),
        ]);
        return {
          packages: found.map(({ list, ...one }) => ({ ...one, values: JSON.parse(list) })),
          next: last ?? null,
        };
      },
      async newerThan(moment) {
        if ((await read(HAS_MOMENTS)).length === 0) return null;
        const [nearest] = await read<NewerThan>(NEAREST_MOMENT, [moment, moment]);
        return nearest ?? null;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Other programs' files may contain NULL, which compares with nothing; it sorts before the empty text. */
const keyOf = ({ version, pkgarch, checksum, value }: PrPlace): Param[] => [version, pkgarch, checksum, value ?? ''];
