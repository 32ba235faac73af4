import { InvokeError } from '../errors.ts';
import type { JobRequests, JobsOptions, LoadedJobs } from './jobs.ts';
import type { JobKind } from './kind.ts';

/** A kind of job, or what loads some: most servers never run one. */
export type JobKindSource = JobKind | (() => Promise<readonly JobKind[]>);

/** The long work of a server, as jobs in the background. */
export interface Jobs extends JobRequests {
  /** Must be called before the first job is asked for: where the server is put together. */
  register(source: JobKindSource): void;
  /** Every kind that was registered. */
  kinds(): Promise<readonly JobKind[]>;
}

export async function loadKinds(sources: readonly JobKindSource[]): Promise<readonly JobKind[]> {
  const loaded = await Promise.all(sources.map((source) => (typeof source === 'function' ? source() : [source])));
  return loaded.flat();
}

/** Jobs of which nothing is loaded before the first is asked for: every server should start fast. */
export function createLateJobs(options: JobsOptions): Jobs {
  const sources: JobKindSource[] = [];
  let loaded: Promise<LoadedJobs> | null = null;
  let closed = false;

  async function load(): Promise<LoadedJobs> {
    const { createJobs } = await import('./jobs.ts');
    const jobs = createJobs(options);
    for (const kind of await loadKinds(sources)) jobs.register(kind);
    return jobs;
  }

  async function jobs(): Promise<LoadedJobs> {
    if (closed && !loaded) throw new InvokeError('the server is stopping', undefined, 'unavailable');
    loaded ??= load();
    return loaded;
  }

  return {
    register: (source) => void sources.push(source),
    kinds: async () => [...(await jobs()).kinds],
    start: async (...given) => (await jobs()).start(...given),
    list: async (...given) => (await jobs()).list(...given),
    show: async (...given) => (await jobs()).show(...given),
    cancel: async (...given) => (await jobs()).cancel(...given),
    status: async () => options.figures.status,
    async resume() {
      if (!closed && options.archive.exists()) await (await jobs()).resume();
    },
    async close(graceMs) {
      closed = true;
      await (await loaded)?.close(graceMs);
    },
  };
}
