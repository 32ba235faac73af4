import { type HashStore, KEPT_PLACES, PLACE_PREFIX } from '../../../hashserv/store.ts';
import type { ConnectionPool, Statement } from '../engine/pool.ts';
import type { Writer } from '../engine/writer.ts';

type NoteMethods = Pick<HashStore, 'note' | 'setNote' | 'ensureNote'>;

const NOTE: Statement = { name: 'bakeserv-note', text: 'SELECT value FROM config WHERE name = $1' };
/** The row gets a new id, larger than all others: the order of ids is that in which notes were set last, whatever clocks say. */
const SET_NOTE: Statement = {
  name: 'bakeserv-set-note',
  text: `INSERT INTO config (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, id = excluded.id`,
};
const ENSURE_NOTE: Statement = {
  name: 'bakeserv-ensure-note',
  text: 'INSERT INTO config (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING',
};
/** The table has no more rows than there are notes. */
const DROP_OLD_PLACES: Statement = {
  name: 'bakeserv-drop-places',
  text: `DELETE FROM config WHERE id IN (
    SELECT id FROM config WHERE left(name, ${PLACE_PREFIX.length}) = '${PLACE_PREFIX}' ORDER BY id DESC OFFSET ${KEPT_PLACES})`,
};

/** What a server notes in its database, in the table `config`. */
export function createNotes(pool: ConnectionPool, writer: () => Writer): NoteMethods {
  return {
    async note(name) {
      return (await pool.read<{ value: string | null }>(NOTE, [name]))[0]?.value ?? null;
    },
    async setNote(name, value) {
      await writer().slice(async (session) => {
        await session.run(SET_NOTE, [name, value]);
        if (name.startsWith(PLACE_PREFIX)) await session.run(DROP_OLD_PLACES);
      });
    },
    ensureNote: (name, value) =>
      writer().slice(async (session) => {
        await session.run(ENSURE_NOTE, [name, value]);
        return (await session.all<{ value: string }>(NOTE, [name]))[0]!.value;
      }),
  };
}
