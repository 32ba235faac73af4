import { InvokeError } from '../../errors.ts';
import { ID_NOTE } from '../../hashserv/store.ts';
import type { StoredSource } from '../../transfer/ends.ts';
import type { Part } from '../../transfer/parts.ts';
import type { PullPart, PullSource } from '../source.ts';

const PULLED: readonly Part[] = ['unihashes', 'outhashes', 'values'] satisfies readonly PullPart[];

/** As a page that a server answers. */
const FOUND = { rows: 1000, bytes: 4 * 1024 * 1024 };

/**
 * Databases as one source; it closes them.
 * @param isOther they cannot be those of this server: other files
 * @throws InvokeError where they are no server's, or two have the same
 */
export function sourceOf(name: string, databases: readonly StoredSource[], isOther: boolean): PullSource {
  const having = (part: Part) => databases.filter(({ parts }) => parts.has(part));
  for (const part of PULLED) {
    const [first, second] = having(part);
    if (second)
      throw new InvokeError(
        `pull: several databases in ${name} are of one service, name one: ${first!.name}, ${second.name}`,
      );
  }
  const parts = new Set(PULLED.filter((part) => having(part).length > 0));
  if (parts.size === 0) throw new InvokeError(`pull: ${name} is a database, but has no tables of a server`);
  const of = (part: Part) => having(part)[0]!;
  return {
    name,
    parts,
    isOther,
    count: (part) => of(part).count(part),
    slice: (part, after, limits) => of(part).slice(part, after, limits),
    find: async (search, after, brief) => of(search.table).findRows(search, after, { ...FOUND, brief }),
    unihashesOf: (tasks) => of('unihashes').unihashesOf(tasks),
    id: async () => (parts.has('unihashes') ? of('unihashes').setting(ID_NOTE) : null),
    async close() {
      for (const database of databases) await database.close();
    },
  };
}
