import { type HashStore, KEPT_PLACES, PLACE_PREFIX } from '../../../hashserv/store.ts';
import type { Database } from '../engine/database.ts';

type NoteMethods = Pick<HashStore, 'note' | 'setNote' | 'ensureNote'>;

const NOTE = 'SELECT value FROM config WHERE name = ?';
/** The row gets a new id, larger than all others: the order of ids is that in which notes were set last, whatever clocks say. */
const SET_NOTE = 'INSERT OR REPLACE INTO config (name, value) VALUES (?, ?)';
const ENSURE_NOTE = 'INSERT INTO config (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING';
/** The table has no more rows than there are notes. */
const DROP_OLD_PLACES = `DELETE FROM config WHERE id IN (
  SELECT id FROM config WHERE substr(name, 1, ${PLACE_PREFIX.length}) = '${PLACE_PREFIX}' ORDER BY id DESC LIMIT -1 OFFSET ${KEPT_PLACES})`;

/** What a server notes in its database, in the table `config`. */
export function createNotes(database: Database): NoteMethods {
  return {
    async note(name) {
      const [row] = await database.read<{ value: string | null }>(database.maintenance, NOTE, [name]);
      return row?.value ?? null;
    },
    async setNote(name, value) {
      await database.writer!.slice(async (connection) => {
        await connection.run(SET_NOTE, [name, value]);
        if (name.startsWith(PLACE_PREFIX)) await connection.run(DROP_OLD_PLACES);
      });
    },
    ensureNote: (name, value) =>
      database.writer!.slice(async (connection) => {
        await connection.run(ENSURE_NOTE, [name, value]);
        return (await connection.all<{ value: string }>(NOTE, [name]))[0]!.value;
      }),
  };
}
