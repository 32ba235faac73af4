import { object } from '../../asyncrpc/schemas.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { READ } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import { SHARED_STATE_NOTE } from '../store.ts';

const MAX_RECIPES = 1000;

/** What the job shared-state found last, with the first recipes of it; null where none has run (docs/insights.md). */
async function lastFound({ store }: HashContext, { limit = 100 }: { limit?: number }): Promise<Json> {
  const note = await store.note(SHARED_STATE_NOTE);
  if (note === null) return null;
  const { recipes, more, ...rest } = JSON.parse(note) as { recipes: Json[]; more: number };
  return { ...rest, recipes: recipes.slice(0, limit), more: more + Math.max(0, recipes.length - limit) };
}

/** Nothing is compared when it is asked: that takes minutes, and is a job. */
export const SHARED_STATE_COMMAND: Readonly<Record<string, HashRow>> = {
  'insight-shared-state': {
    needs: [READ],
    isLong: () => true,
    schema: object({ limit: { type: 'integer', minimum: 1, maximum: MAX_RECIPES } }, []),
    handle: lastFound,
  },
};
