import { errorText, StorageError } from '../../../errors.ts';
import { openToLook } from './look.ts';

/** All tasks of a hash equivalence database, page by page. */
export interface TaskPages {
  readonly total: number;
  /** Lines `method taskhash`. Can be iterated once. */
  pages(): AsyncGenerator<string[]>;
  /** Must be called, also when not all pages were wanted: a database that nobody else has open is left without a log. */
  close(): Promise<void>;
}

const PAGE_TASKS = 8192;
/** Relies on the primary key; ids only grow, so the file may be in use meanwhile. */
const PAGE = `SELECT id, method, taskhash FROM unihashes_v3 WHERE id > ? ORDER BY id LIMIT ${PAGE_TASKS}`;
const COUNT = 'SELECT count(*) AS total FROM unihashes_v3';

/**
 * Opens a hash equivalence database that belongs to somebody else: it is only read.
 * @throws StorageError when it is not one
 */
export async function openTaskPages(file: string): Promise<TaskPages> {
  const binding = await openToLook(file);
  try {
    const [counted] = await binding.all<{ total: number }>(COUNT);
    return {
      total: counted!.total,
      async *pages() {
        for (let last = 0; ; ) {
          const rows = await binding.all<{ id: number; method: string; taskhash: string }>(PAGE, [last]);
          if (rows.length === 0) return;
          last = rows.at(-1)!.id;
          yield rows.map(({ method, taskhash }) => `${method} ${taskhash}`);
        }
      },
      close: () => binding.close(),
    };
  } catch (error) {
    await binding.close();
    throw new StorageError('storage-io', `${file} is no hash equivalence database: ${errorText(error)}`, error);
  }
}
