import type { Equivalence, HashStore } from '../../../hashserv/store.ts';
import { CacheFigures } from '../../../meter/store-figures.ts';
import { cacheStateOf, countHits } from '../../memory/cache-figures.ts';
import { KnownUnihashes } from '../../memory/known-unihashes.ts';
import type { PostgresDatabase } from '../engine/database.ts';
import type { WriteKind } from '../engine/writer.ts';
import { createGcStore } from './garbage.ts';
import { openInsightRows } from './insight-rows.ts';
import { createLookups } from './lookups.ts';
import { createNotes } from './notes.ts';
import { EQUIVALENT_KIND, KEEP_KIND, REPORT_KIND, type Stored } from './reports.ts';
import { createRowStore } from './rows.ts';
import { CREATED_TEXT } from './schema.ts';
import { createUserStore } from './users.ts';

const UNIHASH_FORM = /^[0-9a-f]{64}$/;

/** Of the rows stored last, as in the store on SQLite. */
const NEWEST_CREATED = {
  name: 'bakeserv-newest',
  text: `SELECT max(${CREATED_TEXT('r.created')}) AS created
    FROM (SELECT created FROM outhashes_v2 ORDER BY id DESC LIMIT 10000) r`,
};

/**
 * The hash equivalence store on PostgreSQL. What was looked up or stored is kept in memory until some server removes a
 * unihash: then all of it is forgotten. Misses are never answered from memory.
 * @throws StorageError when the database cannot be read
 */
export async function createHashStore(database: PostgresDatabase, cacheBytes: number): Promise<HashStore> {
  const memory = new KnownUnihashes(cacheBytes);
  const asked = new CacheFigures();
  let usersVersion = 0;
  database.onGeneration(() => memory.clear());
  database.onUsers(() => {
    usersVersion++;
  });
  /** What was read before another server's removal, and arrives after it was heard of, is not kept. */
  const keep = (task: string, unihash: string, generation: number) => {
    database.heard(generation);
    if (generation === database.generation) memory.add(task, unihash, memory.epoch);
  };
  const lookups = createLookups(database.lookups, keep);
  const writer = () => database.writer!;
  const [newest] = await database.reads.read<{ created: string | null }>(NEWEST_CREATED);

  async function write<Op extends Equivalence>(kind: WriteKind<Op, Stored | null>, ops: readonly Op[], bytes: number) {
    const stored = await writer().submit(kind, ops, bytes);
    return ops.map(({ method, taskhash, unihash: proposed }, i) => {
      const found = stored[i];
      if (!found) return proposed;
      if (!method.includes(' ') && !taskhash.includes(' ') && UNIHASH_FORM.test(found.unihash))
        keep(`${method} ${taskhash}`, found.unihash, found.generation);
      return found.unihash;
    });
  }

  return {
    readOnly: database.writer === null,
    newestCreated: newest!.created,
    get loading() {
      return { state: 'newest' as const, rows: memory.rows, share: 1 };
    },
    cache: cacheStateOf(memory, asked),
    get usersVersion() {
      return usersVersion;
    },

    knownUnihash(task) {
      const unihash = memory.get(task);
      if (unihash !== undefined) asked.hits++;
      return unihash;
    },
    knownLines(of) {
      const scanner = memory.scanner(of, () => false);
      return scanner && countHits(scanner, asked);
    },
    knownToExist: (unihash) => memory.exists(unihash),
    unihashes(tasks) {
      asked.misses += tasks.length;
      return lookups.unihashes(tasks);
    },
    async unihash(method, taskhash) {
      if (method.includes(' ') || taskhash.includes(' ')) return lookups.unihash(method, taskhash);
      const task = `${method} ${taskhash}`;
      return memory.get(task) ?? (await lookups.unihashes([task]))[0]!;
    },
    unihashesExist: (unihashes) => lookups.existing(unihashes),
    outhashes: (queries) => lookups.outhashes(queries),
    tasks: (keys) => lookups.tasks(keys),
    siginfo: (id) => lookups.siginfo(id),

    report: (reports) =>
      write(
        REPORT_KIND,
        reports,
        reports.reduce((sum, report) => sum + 512 + (report.outhash_siginfo?.length ?? 0), 0),
      ),
    reportEquivalent: (equivalences) => write(EQUIVALENT_KIND, equivalences, equivalences.length * 256),
    async keepOuthashes(rows) {
      await writer().submit(KEEP_KIND, rows, rows.length * 1024);
    },

    async openInsightRows(_signal, sliceRows) {
      return { ...(await openInsightRows(database, sliceRows)), text: (id) => lookups.siginfo(id) };
    },
    ...createGcStore(database.reads, writer, database.heard),
    ...createRowStore(database.reads, writer),
    ...createNotes(database.reads, writer),
    ...createUserStore(database.reads, writer, () => usersVersion++),
  };
}
