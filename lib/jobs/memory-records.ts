import { type JobArchive, type JobRecord, type JobRecords, KEPT_JOBS } from './records.ts';

/** Fewer than of a file: each is held as a whole. */
const KEPT_IN_MEMORY = KEPT_JOBS / 10;

interface Kept {
  readonly job: JobRecord;
  readonly log: readonly string[];
}

/**
 * Jobs of a server that writes nothing: they are gone with it. Ids go on from the time of the start in milliseconds, so
 * that none is used again after another start.
 */
export function memoryRecords(now: () => number = Date.now): JobArchive {
  const kept = new Map<number, Kept>();
  let last = now();

  const isOver = ({ job }: Kept) => job.state !== 'waiting' && job.state !== 'running';
  function removeOld(): void {
    for (const [id, each] of kept) {
      if (kept.size <= KEPT_IN_MEMORY) return;
      if (isOver(each)) kept.delete(id);
    }
  }

  const records: JobRecords = {
    async add(job) {
      const id = ++last;
      kept.set(id, { job: { ...job, id }, log: [] });
      removeOld();
      return id;
    },
    async save(job, log) {
      kept.set(job.id, { job: { ...job }, log: [...log] });
    },
    find: async (id) => kept.get(id)?.job ?? null,
    log: async (id) => kept.get(id)?.log ?? [],
    async page({ access, states, before, limit }) {
      const all = [...kept.values()].map(({ job }) => job).sort((a, b) => b.id - a.id);
      const meant = all.filter(
        (job) =>
          (access === null || job.access === access) &&
          (states === null || states.includes(job.state)) &&
          (before === null || job.id < before),
      );
      return meant.slice(0, limit).map(({ result: _, position: __, ...listed }) => listed);
    },
    unfinished: async () => [],
    close: async () => {},
  };
  return { exists: () => kept.size > 0, open: async () => records };
}
