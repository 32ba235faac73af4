import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { inTurns } from '../../insights/in-turns.ts';
import { readMirrorAddress, shownAddress } from '../../insights/shared-state/mirror.ts';
import { type Report, reportOf } from '../../insights/shared-state/report.ts';
import { compareSharedState, type Place } from '../../insights/shared-state/run.ts';
import type { TaskReader } from '../../insights/shared-state/source.ts';
import { type JobKind, parametersOf } from '../../jobs/kind.ts';
import { type HashStore, SHARED_STATE_NOTE } from '../store.ts';

/** What a server compares its unihashes with. */
export interface SharedStateMeans {
  readonly place: Place;
  /** Where it is remembered since when objects are missing, and what a mirror answered. */
  readonly memory: string;
}

const LOOK_MS = 200;
const PAGE_ROWS = 1000;
/** As many recipes as an insight tells. */
const MAX_RECIPES = 1000;
const MIN_AGE = 86_400;
const MAX_AGE = 604_800;

/**
 * Compares the unihashes with the shared state that the server is told of. What was found last is also kept in the database,
 * for insight-shared-state.
 * @param means null where it is told of none
 */
export function sharedStateKind(store: HashStore, means: SharedStateMeans | null): JobKind {
  return {
    name: 'shared-state',
    describe:
      'Compares the unihashes with the shared state of --sstate-dir or --sstate-mirror, as insights shared-state',
    parameters: parametersOf({}),
    counts: 'unihashes and files',
    resumable: true,
    access: () => 'hashserv',
    writes: () => null,
    check() {
      if (means) return;
      throw new InvokeError(
        'job-start: shared-state: the server is told of none (--sstate-dir, --sstate-mirror)',
        undefined,
        'missing',
      );
    },
    async *run({ signal, note }) {
      if (!means)
        throw new InvokeError('the server is told of no shared state any more (--sstate-dir, --sstate-mirror)');
      let done = 0;
      const stop = new AbortController();
      const comparing = compareSharedState({
        reader: readerOf(store),
        place: means.place,
        minAge: MIN_AGE,
        maxAge: MAX_AGE,
        memory: store.readOnly ? null : { file: means.memory, about: nameOf(means.place) },
        onDone: (count) => {
          done += count;
        },
        signal: AbortSignal.any([signal, stop.signal]),
      });
      const over = comparing.then(
        () => true,
        () => true,
      );
      try {
        while (!(await Promise.race([over, pause(LOOK_MS, false, { ref: false })])))
          yield { position: null, done, total: null, soFar: null };
      } finally {
        stop.abort();
        await over;
      }
      const found = await comparing;
      const report = await inTurns(reportOf(found, MAX_RECIPES), signal);
      for (const problem of report.folder?.problems ?? []) note(`cannot be read: ${problem}`);
      if (found.notRemembered !== null) note(`what was found is not remembered: ${found.notRemembered}`);
      if (!store.readOnly) await store.setNote(SHARED_STATE_NOTE, JSON.stringify(publicOf(report)));
      const { recipes: _, ...totals } = report;
      return totals as Json;
    },
  };
}

/** Where files are on the server's machine, and what other machines it asks, is not for whoever may read. */
function publicOf({ place: _, folder, mirror, ...others }: Report): Report {
  const stopped = mirror?.stopped ? 'has failed, and the job says how' : null;
  const rest = { ...others, mirror: mirror && { ...mirror, stopped } };
  if (!folder) return { ...rest, folder };
  const { problems: __, ...figures } = folder;
  return { ...rest, folder: figures };
}

function nameOf(place: Place): string {
  return place.kind === 'folder' ? place.folder : shownAddress(readMirrorAddress(place.address));
}

function readerOf(store: HashStore): TaskReader {
  return async (after) => {
    const { rows, next } = await store.exportTasks(after, PAGE_ROWS);
    return { rows: JSON.parse(rows), next };
  };
}
