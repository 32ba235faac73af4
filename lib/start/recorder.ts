import type { Presence } from '../asyncrpc/server/hub.ts';
import type { Logger } from '../log.ts';
import type { TaskLookups } from '../meter/task-lookups.ts';
import type { MissCount } from '../meter/top-misses.ts';
import type { Metrics } from '../metrics/source.ts';
import type { Figures } from '../recorder/figures.ts';
import { type History, Recorder } from '../recorder/recorder.ts';
import type { Config } from '../settings/config.ts';
import type { Crew } from './crew.ts';
import { isSame } from './own-files.ts';

/** How many of the tasks that were missed most are shown. */
export const MOST_MISSED = 1000;

/** The figures of a server over time, as one of its processes has them. */
export interface Recording extends History {
  /** What this process counts now. */
  figures(counting: boolean): Promise<Figures>;
  /** What it has missed most. */
  missed(): readonly MissCount[];
  readonly presence: Presence | null;
  close(): Promise<void>;
}

export interface RecordingOptions {
  readonly config: Pick<Config, 'figuresFile' | 'hashserv' | 'prserv' | 'jobs'>;
  readonly log: Logger;
  /** The other processes of the server, one of which records; null where it is one. */
  readonly crew: Pick<Crew, 'history'> | null;
  readonly metrics: () => Metrics;
  /** Null without hash equivalence. */
  readonly lookups: () => TaskLookups | null;
}

export function openRecording({ config, log, crew, metrics, lookups }: RecordingOptions): Recording {
  const figures = async (counting: boolean): Promise<Figures> => ({
    snapshot: await metrics().quietSnapshot(counting),
    methods: lookups()?.counts() ?? [],
  });
  const missed = () => lookups()?.missed.top(MOST_MISSED) ?? [];
  const own = { figures, missed };
  if (crew) return { ...own, ...crew.history, presence: null, close: async () => {} };
  const recorder = new Recorder({
    gather: figures,
    missed: async () => missed(),
    file: () => figuresFileOf(config, log),
    log,
  });
  return {
    ...own,
    all: (span) => recorder.all(span),
    lookups: (span) => recorder.lookups(span),
    presence: recorder,
    close: () => recorder.close(),
  };
}

/** Where figures are kept: never in place of a database, by whatever name that is served. */
export function figuresFileOf(config: RecordingOptions['config'], log: Logger): string | null {
  const { figuresFile: file, hashserv, prserv, jobs } = config;
  if (file === null) return null;
  const databases = [hashserv, prserv].flatMap((each) => (each && each.postgres === null ? [each.file] : []));
  const taken = [...databases, jobs.file].find((each) => isSame(each, file));
  if (taken === undefined) return file;
  log.warn('the figures over time are not kept: their file is a database of this server', { file, database: taken });
  return null;
}
