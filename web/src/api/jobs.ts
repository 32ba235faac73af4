import type { Api } from './client.ts';

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
/** Whose jobs: each service has commands for its own. */
export type JobService = 'hashserv' | 'prserv';

/** A job as lists have it: long parameters and errors by their beginning. */
export interface ListedJob {
  readonly id: number;
  readonly kind: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly state: JobState;
  readonly cancelling?: boolean;
  readonly user: string | null;
  readonly address: string;
  readonly created: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly unit: string | null;
    readonly rate: number | null;
    readonly seconds_left: number | null;
  };
  readonly error: string | null;
}

export interface Job extends ListedJob {
  readonly result: unknown;
  readonly log?: readonly string[];
}

export interface JobList {
  readonly jobs: readonly ListedJob[];
  readonly next: number | null;
}

export const getJobs = (
  api: Api,
  service: JobService,
  query: { limit: number; before?: number },
  signal: AbortSignal,
) => api.ask<JobList>('GET', ['jobs'], { query: { ...query, service }, signal });

export const getJob = (api: Api, service: JobService, id: number, signal: AbortSignal) =>
  api.ask<Job>('GET', ['jobs', String(id)], { query: { service, log: true }, signal });

export const startJob = (api: Api, service: JobService, kind: string, parameters: object) =>
  api.ask<{ readonly id: number; readonly joined: boolean }>('POST', ['jobs'], {
    query: { service },
    body: { kind, parameters },
  });

export const cancelJob = (api: Api, service: JobService, id: number) =>
  api.ask<Job>('DELETE', ['jobs', String(id)], { query: { service } });

/** Whether nothing more comes of it. */
export const isOver = ({ state }: Pick<Job, 'state'>) => state !== 'waiting' && state !== 'running';
