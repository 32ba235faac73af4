import type { Json } from '../asyncrpc/wire/messages.ts';
import type { JobAccess } from './kind.ts';

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
export const JOB_STATES: readonly JobState[] = ['waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted'];

/** What is kept of a job, apart from its log. Times are ISO 8601, UTC. */
export interface JobRecord {
  readonly id: number;
  readonly kind: string;
  readonly parameters: Json;
  readonly access: JobAccess;
  /** The database it writes to, or null. */
  readonly writes: string | null;
  readonly user: string | null;
  readonly address: string;
  readonly created: string;
  state: JobState;
  started: string | null;
  ended: string | null;
  /** Where it goes on; null: at the beginning. */
  position: Json;
  done: number;
  total: number | null;
  /** The result; of a job that has not come to its end, what it has done so far. */
  result: Json;
  error: string | null;
  /** How often it was begun again since its position last changed. */
  resumes: number;
}

export type NewJob = Omit<JobRecord, 'id'>;

/** What is read of a job for a list: results are megabytes, and places as long as they like. */
export type ListedRecord = Omit<JobRecord, 'result' | 'position'>;

/** Which jobs to list. */
export interface JobQuery {
  /** Null: all. */
  readonly access: JobAccess | null;
  readonly states: readonly JobState[] | null;
  /** Only those with a smaller id; null: from the newest on. */
  readonly before: number | null;
  readonly limit: number;
}

/** How many jobs are kept that have ended: of each service, and of the owner. */
export const KEPT_JOBS = 1000;

/**
 * Where jobs are kept. Promises of every one: an id is larger than all before it, also of those that are gone; what has
 * resolved survives a kill; of jobs that have ended the last KEPT_JOBS are kept that are for the same callers. A failure is a StorageError.
 */
export interface JobRecords {
  /** Stores a new job, and removes those that are too old. Resolves to its id. */
  add(job: NewJob): Promise<number>;
  /** Stores what a job has come to. */
  save(job: JobRecord, log: readonly string[]): Promise<void>;
  find(id: number): Promise<JobRecord | null>;
  /** The lines of a job's log, the oldest first. */
  log(id: number): Promise<readonly string[]>;
  /** The newest first. */
  page(query: JobQuery): Promise<readonly ListedRecord[]>;
  /** Those that wait or run, the oldest first. */
  unfinished(): Promise<readonly JobRecord[]>;
  close(): Promise<void>;
}

/** What a server has jobs in. */
export interface JobArchive {
  /** Whether there may be jobs of an earlier start: otherwise nothing need be opened to tell that there are none. */
  exists(): boolean;
  /** @throws StorageError */
  open(): Promise<JobRecords>;
}
