import type { InTurns } from '../in-turns.ts';
import type { SharedStateFindings } from './run.ts';
import type { Tally } from './survey.ts';

/** What was found, as JSON; times are ISO 8601, null where there is none. */
export type Report = {
  /** The folder, or the address of the mirror without user and password; left out for those who may not know it. */
  place?: string;
  readonly made: string;
  readonly folder: {
    readonly objects: number;
    readonly folders: number;
    readonly links: number;
    readonly unreadable: number;
    /** Which folders could not be read, some of them, with the reason; left out as the place is. */
    problems?: readonly string[];
  } | null;
  readonly mirror: {
    readonly requests: number;
    readonly remembered: number;
    readonly nameless: number;
    readonly unanswered: number;
    readonly stopped: string | null;
  } | null;
  readonly unihashes: number;
  readonly present: number;
  readonly missing: number;
  readonly recent: number;
  readonly unknown: number;
  /** Null where a mirror was asked, as are those below. */
  readonly orphans: number | null;
  readonly orphan_bytes: number | null;
  readonly recent_orphans: number | null;
  readonly recipes: readonly RecipeReport[];
  /** Recipes and tasks that are not told one by one. */
  readonly more: number;
};

export type RecipeReport = {
  readonly PN: string | null;
  readonly task: string | null;
  readonly unihashes: number;
  readonly missing: number;
  readonly unknown: number;
  readonly oldest_report: string | null;
  readonly missing_since: string | null;
  readonly orphans: number | null;
  readonly orphan_bytes: number | null;
};

/** @param limit the most recipes */
export function* reportOf({ survey, shown, folder, mirror }: SharedStateFindings, limit: number): InTurns<Report> {
  const { first, more } = yield* survey.byRecipe(limit);
  const { unihashes, present, missing, recent, unknown, orphans, orphanBytes, recentOrphans } = yield* survey.totals();
  const ofFolder = (count: number) => (folder ? count : null);
  return {
    place: shown,
    made: new Date().toISOString(),
    folder: folder && {
      objects: folder.objects,
      folders: folder.folders,
      links: folder.links,
      unreadable: folder.unreadable,
      problems: [...folder.problems],
    },
    mirror: mirror && {
      requests: mirror.requests,
      remembered: mirror.remembered,
      nameless: mirror.nameless,
      unanswered: mirror.unanswered,
      stopped: mirror.stopped,
    },
    unihashes,
    present,
    missing,
    recent,
    unknown,
    orphans: ofFolder(orphans),
    orphan_bytes: ofFolder(orphanBytes),
    recent_orphans: ofFolder(recentOrphans),
    recipes: first.map((tally) => recipeOf(tally, folder !== null)),
    more,
  };
}

function recipeOf(tally: Tally, withObjects: boolean): RecipeReport {
  return {
    PN: tally.PN,
    task: tally.task,
    unihashes: tally.unihashes,
    missing: tally.missing,
    unknown: tally.unknown,
    oldest_report: momentOf(tally.oldestReport),
    missing_since: momentOf(tally.missingSince),
    orphans: withObjects ? tally.orphans : null,
    orphan_bytes: withObjects ? tally.orphanBytes : null,
  };
}

/** Seconds since 1970 as ISO 8601; null for 0. */
export function momentOf(seconds: number): string | null {
  return seconds === 0 ? null : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
