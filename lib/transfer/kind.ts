import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import { FILE_PARAMETER, type JobKind, parametersOf } from '../jobs/kind.ts';
import { copy, partsToCopy } from './copy.ts';
import type { SliceLimits, Source, Target } from './ends.ts';
import { PARTS, type Part, type ServiceName } from './parts.ts';
import { type PartReport, reportsAsJson } from './report.ts';

/** What a copy in a server works with. */
export interface CopyMeans {
  /** The databases of the server, and the services in each. */
  readonly own: readonly { readonly services: readonly ServiceName[]; open(): Promise<Source> }[];
  /** Opens a database by its name. */
  openSource(name: string): Promise<Source>;
  openTarget(name: string, options: { services: ReadonlySet<ServiceName>; dryRun: boolean }): Promise<Target>;
  /** @throws InvokeError for a target that is a database of this server, or that names none */
  requireTarget(name: string): void;
  /** @throws InvokeError for what cannot be a source */
  requireSource(name: string): void;
}

interface CopyParameters {
  readonly to: string;
  readonly from?: string;
  readonly hashes?: boolean;
  readonly prs?: boolean;
  readonly users?: boolean;
  readonly skip_unstorable?: boolean;
  readonly dry_run?: boolean;
}

/** A source, and what is wanted of it. */
interface Origin {
  readonly source: Source;
  readonly parts: readonly Part[];
}

/** Smaller than those of the command, which has its process to itself: each is worked on by the thread that answers clients. */
const SLICE: SliceLimits = { rows: 1000, bytes: 1024 * 1024 };
const LOOK_MS = 100;
const FLAG = { type: 'boolean' };

/**
 * `bakeserv copy` in a server: its own databases, while they are in use, or another into one that nobody has open. It never
 * writes into a database that is served: what a server has in memory of it would be wrong.
 */
export function copyKind(means: CopyMeans): JobKind<CopyParameters> {
  return {
    name: 'copy',
    describe: 'Copies the databases of this server, or another database, into one that is not in use, as bakeserv copy',
    parameters: parametersOf(
      {
        ...{ to: FILE_PARAMETER, from: FILE_PARAMETER, hashes: FLAG, prs: FLAG, users: FLAG },
        ...{ skip_unstorable: FLAG, dry_run: FLAG },
      },
      ['to'],
    ),
    counts: 'rows copied and compared',
    // From the beginning: what is there already is compared, and not written again.
    resumable: true,
    writesElsewhere: true,
    access: () => 'owner',
    writes: ({ to, dry_run: dryRun }) => (dryRun ? null : nameOf(to)),
    check(parameters) {
      if (parameters.from !== undefined) means.requireSource(parameters.from);
      means.requireTarget(parameters.to);
    },
    async *run({ parameters, signal, note }) {
      const { to, dry_run: dryRun = false, skip_unstorable: skipUnstorable = false } = parameters;
      means.requireTarget(to);
      const origins = await openOrigins(means, parameters);
      // Its steps end with the job, also where nothing else tells it to stop.
      const own = new AbortController();
      const ending = AbortSignal.any([signal, own.signal]);
      let target: Target | null = null;
      let work: Promise<PartReport[]> | null = null;
      try {
        const parts = origins.flatMap((each) => each.parts);
        const services = new Set(parts.map((part) => PARTS[part].service));
        target = await means.openTarget(to, { services, dryRun });
        const total = (await countOf(origins)) * (dryRun ? 1 : 2);
        let [done, copied] = [0, 0];
        const onRows = async (phase: 'copy' | 'check', rows: number) => {
          done += rows;
          if (phase === 'copy') copied += rows;
        };
        const options = { target, dryRun, skipUnstorable, signal: ending, limits: SLICE, onRows };
        work = copyAll(origins, options);
        const over = settled(work);
        const slice = (soFar: Json) => ({ position: null, done, total: Math.max(done, total), soFar });
        while (!(await Promise.race([over, pause(LOOK_MS, false, { ref: false })]))) yield slice({ copied });
        const reports = await work;
        const closing = target;
        target = null;
        await closing.close();
        const from = origins.map(({ source }) => source.name);
        const result = { from, to: closing.name, dry_run: dryRun, ...reportsAsJson(reports) };
        for (const { part, rows, added } of reports) note(`${part}: ${added} of ${rows} rows new`);
        const differing = reports.reduce((sum, each) => sum + each.differing, 0);
        if (dryRun || differing === 0) return result;
        yield slice(result);
        throw new InvokeError(`${differing} rows differ in ${closing.name}, and stay as they are there`);
      } finally {
        own.abort();
        await work?.catch(() => {});
        await target?.close().catch(() => {});
        for (const { source } of origins) await source.close();
      }
    },
  };
}

const settled = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => true,
  );

/** A file by its full path, so that a database has one name. */
const nameOf = (to: string) => (path.isAbsolute(to) ? path.resolve(to) : to);

async function openOrigins(means: CopyMeans, parameters: CopyParameters): Promise<Origin[]> {
  const { from, hashes: onlyHashes = false, prs: onlyPrs = false, users = false } = parameters;
  const wanted = { hashes: onlyHashes || !onlyPrs, prs: onlyPrs || !onlyHashes, users };
  const isWanted = (part: Part, services: readonly ServiceName[]) => services.includes(PARTS[part].service);
  const origins: Origin[] = [];
  try {
    if (from !== undefined) {
      const source = await means.openSource(from);
      origins.push({ source, parts: partsToCopy(source, wanted) });
    } else
      for (const { services, open } of means.own) {
        const source = await open();
        // A file may hold what another serves.
        const parts = partsToCopy(source, wanted).filter((part) => isWanted(part, services));
        origins.push({ source, parts });
      }
    if (origins.some(({ parts }) => parts.length > 0)) return origins;
    throw new InvokeError(`copy: ${from ?? 'this server'} has nothing of what is asked for`);
  } catch (error) {
    for (const { source } of origins) await source.close();
    throw error;
  }
}

async function countOf(origins: readonly Origin[]): Promise<number> {
  let rows = 0;
  for (const { source, parts } of origins) for (const part of parts) rows += await source.count(part);
  return rows;
}

async function copyAll(
  origins: readonly Origin[],
  options: Omit<Parameters<typeof copy>[0], 'source' | 'parts'>,
): Promise<PartReport[]> {
  const reports: PartReport[] = [];
  for (const { source, parts } of origins) reports.push(...(await copy({ ...options, source, parts })));
  return reports;
}
