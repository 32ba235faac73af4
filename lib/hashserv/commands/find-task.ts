import { object } from '../../asyncrpc/schemas.ts';
import { InvokeError } from '../../errors.ts';
import { READ } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import { searchOf } from '../find-tasks.ts';

const MOST_ROWS = 500;
const DEFAULT_ROWS = 100;

/** Whatever is known of a hash, or of a recipe. */
async function findTask(
  { store, searches }: HashContext,
  { text, limit = DEFAULT_ROWS }: { text: string; limit?: number },
) {
  const search = searchOf(text);
  if (!search)
    throw new InvokeError(
      "find-task: text must be a hash, or a recipe's name, which may begin and end with *",
      undefined,
      'invalid',
    );
  // A hash is found by the indexes; recipes have none.
  const found =
    search.kind === 'hash'
      ? await store.findTasks(search, limit, () => false)
      : await searches.run((isLate) => store.findTasks(search, limit, isLate));
  const { is, rows, equivalent, cut, complete } = found;
  const plain = (each: (typeof rows)[number]) => ({ ...each });
  return { text, is: [...is], rows: rows.map(plain), equivalent: equivalent.map(plain), cut, complete };
}

/** What a person looks up (docs/protocol.md). */
export const FIND_TASK_COMMAND: Readonly<Record<string, HashRow>> = {
  'find-task': {
    needs: [READ],
    isLong: () => true,
    schema: object(
      {
        text: { type: 'string', minLength: 1, format: 'text' },
        limit: { type: 'integer', minimum: 1, maximum: MOST_ROWS },
      },
      ['text'],
    ),
    handle: findTask,
  },
};
