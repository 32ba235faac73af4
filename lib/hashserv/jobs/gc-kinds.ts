import { TEXT } from '../../asyncrpc/schemas.ts';
import { type JobAccess, type JobKind, parametersOf } from '../../jobs/kind.ts';
import { momentAgo } from '../clock.ts';
import { WHERE } from '../commands/schemas.ts';
import type { Gc, WireWhere } from '../gc.ts';
import type { GcTask, HashStore } from '../store.ts';
import { TABLE_NAMES } from '../store-rules.ts';
import type { Backfill } from '../upstream/backfill.ts';
import { forgetRemoved } from '../upstream/forget-removed.ts';
import type { HashUpstream } from '../upstream/upstream.ts';
import { conditionsFor } from '../where.ts';
import { type Pass, through } from './passes.ts';
import type { SharedStateMeans } from './shared-state-kind.ts';

/** What the kinds of hash equivalence work on. */
export interface HashJobParts {
  readonly store: HashStore;
  readonly gc: Gc;
  readonly upstream: HashUpstream | null;
  readonly backfill: Backfill;
  /** The name of the database, as no other has it. */
  readonly database: string;
  /** Throws InvokeError for a file that a job must not touch. */
  readonly requireFile: (file: string) => void;
  /** What unihashes are compared with; null: nothing. */
  readonly sharedState: SharedStateMeans | null;
}

const AGE = { type: 'number', minimum: 0 };

interface GcParameters {
  readonly mark: string;
  readonly remove?: number;
  readonly max_age_seconds?: number;
}

/** The commands that go through whole tables (lib/hashserv/commands/gc.ts), as jobs. */
export function gcKinds({
  store,
  gc,
  upstream,
  backfill,
  database,
}: Omit<HashJobParts, 'requireFile' | 'sharedState'>): readonly JobKind[] {
  const common = {
    counts: 'rows looked at',
    resumable: true,
    access: (): JobAccess => 'hashserv',
    writes: () => database,
  };
  const rowsOf = async (table: keyof typeof TABLE_NAMES) => (await store.usage()).get(TABLE_NAMES[table]) ?? 0;
  const cleaning = async (maxAgeSeconds: number): Promise<Pass> => ({
    task: { kind: 'clean-unused', before: momentAgo(maxAgeSeconds, Date.now) },
    rows: await rowsOf('outhashes'),
  });

  const sweeping = async (mark: string, most: number | null): Promise<Pass> => ({
    task: { kind: 'sweep', mark },
    rows: await rowsOf('unihashes'),
    begin: () => gc.requireSweepable(mark, most),
    end: () => gc.end(mark),
  });

  return [
    {
      ...common,
      name: 'gc-sweep',
      describe: 'Removes every unihash that does not have the mark, and ends the collection, as gc-sweep',
      parameters: parametersOf({ mark: TEXT, remove: { type: 'integer', minimum: 0 } }, ['mark']),
      async *run(job, from) {
        const { mark, remove = null } = job.parameters as GcParameters;
        const passes = [await sweeping(mark, remove)];
        return yield* through(gc, job, passes, from, ([count]) => ({ count: count! }));
      },
    },
    {
      ...common,
      name: 'gc',
      describe:
        'Sweeps what does not have the mark, then removes reports of tasks without a unihash, as gc-sweep and clean-unused',
      parameters: parametersOf({ mark: TEXT, remove: { type: 'integer', minimum: 0 }, max_age_seconds: AGE }, ['mark']),
      async *run(job, from) {
        const { mark, remove = null, max_age_seconds: age = 0 } = job.parameters as GcParameters;
        return yield* through(
          gc,
          job,
          [await sweeping(mark, remove), await cleaning(age)],
          from,
          ([removed, unused]) => ({
            removed: removed!,
            unused: unused!,
          }),
        );
      },
    },
    {
      ...common,
      name: 'gc-mark',
      describe: 'Marks the rows that match, as gc-mark; a new mark begins a collection',
      parameters: parametersOf({ mark: TEXT, where: WHERE }, ['mark', 'where']),
      check: ({ where }: { where: WireWhere }) => void conditionsFor('unihashes', where),
      async *run(job, from) {
        const { mark, where } = job.parameters as { mark: string; where: WireWhere };
        const conditions = conditionsFor('unihashes', where);
        const setMark = async (again: boolean) => {
          // Another collection may have begun meanwhile: that one stays, and this job fails.
          if (!again) await store.gcSetMark(mark);
        };
        if (!conditions) {
          await setMark(from !== null);
          return { count: 0 };
        }
        const pass = {
          task: { kind: 'mark', mark, where: conditions },
          rows: await rowsOf('unihashes'),
          begin: setMark,
        } as const;
        return yield* through(gc, job, [pass], from, ([count]) => ({ count: count! }));
      },
    },
    {
      ...common,
      name: 'clean-unused',
      describe: 'Removes reports that are older than an age and whose task has no unihash, as clean-unused',
      parameters: parametersOf({ max_age_seconds: AGE }, ['max_age_seconds']),
      async *run(job, from) {
        const passes = [await cleaning((job.parameters as { max_age_seconds: number }).max_age_seconds)];
        return yield* through(gc, job, passes, from, ([count]) => ({ count: count! }));
      },
    },
    {
      ...common,
      name: 'remove-hashes',
      describe: 'Removes the rows of both tables that match, as remove',
      parameters: parametersOf({ where: WHERE }, ['where']),
      check: ({ where }: { where: WireWhere }) => {
        conditionsFor('unihashes', where);
        conditionsFor('outhashes', where);
      },
      async *run(job, from) {
        const { where } = job.parameters as { where: WireWhere };
        const passes: Pass[] = [];
        for (const table of ['unihashes', 'outhashes'] as const) {
          const conditions = conditionsFor(table, where);
          const task: GcTask | null = conditions && { kind: 'remove', table, where: conditions };
          if (task) passes.push({ task, rows: await rowsOf(table) });
        }
        if (upstream) await forgetRemoved(upstream, backfill, where);
        const sum = (counts: readonly number[]) => ({ count: counts.reduce((all, each) => all + each, 0) });
        return yield* through(gc, job, passes, from, sum);
      },
    },
  ];
}
