import type { Json } from '../asyncrpc/wire/messages.ts';

/**
 * Whose rights a job needs: those of an administrator of hash equivalence (`@db-admin`), or of whoever may remove PR
 * values. `owner` is for what names files of the server's machine: only the user that the server runs as may start and see it.
 */
export type JobAccess = 'hashserv' | 'prserv' | 'owner';

/** A step of a job that has been done. */
export interface Slice {
  /**
   * Where to go on from. It is stored now and then, not after each slice: what is done from here on may be done a second
   * time after a kill, and must then change nothing. Null where it could only begin again.
   */
  readonly position: Json;
  /** How much has been done since the very beginning, in whatever the kind counts. */
  readonly done: number;
  /** How much there is in all, as far as it is known. */
  readonly total: number | null;
  /** What has been done so far, as the result would say it: for a job that is cancelled here. */
  readonly soFar: Json;
  /** The position must be on disk before the next slice begins. */
  readonly save?: true;
}

/** What a running job is given. */
export interface JobRun<Parameters> {
  readonly id: number;
  readonly parameters: Parameters;
  /** Aborted when the job must stop, for whatever waits inside a slice. Between two slices it is looked at for the kind. */
  readonly signal: AbortSignal;
  /** Adds a line to the job's log, of which the last 200 are kept. */
  note(text: string): void;
}

/**
 * A kind of job. To add one, write an object like this and hand it to `Jobs.register` where the server is put together
 * (`lib/server.ts`, or the service that it belongs to), better as a function that imports it, so that it is loaded for the first job.
 * Commands, API, `bakeserv jobs` and docs/jobs.md then know it.
 *
 * - `run` is an async generator. Each `yield` ends a slice: keep it to a few milliseconds of this thread, or of the
 *   database's writer, as clients are answered in between. Its return value is the result.
 * - When the job must stop, the generator is ended at its current `yield` (`finally` runs). Nothing more is asked of it.
 * - With `resumable`, `run` is called with the last stored position after the server was stopped or killed. Without, a
 *   job that had begun is marked `interrupted`.
 * - An InvokeError that is thrown is what the user is told; any other error is logged, and shown as the service would.
 *
 * @typeParam Parameters what `parameters` describes
 */
// biome-ignore lint/suspicious/noExplicitAny: each kind's parameters have the shape of its schema
export interface JobKind<Parameters = any> {
  /** As users name it: `gc`, `export-prs`. */
  readonly name: string;
  /** What it does, in a sentence without its full stop. */
  readonly describe: string;
  /** JSON schema of the parameters, as for a command (lib/asyncrpc/schemas.ts); others than it names are refused. */
  readonly parameters: object;
  /** How long they may be, as JSON; 8 KiB if absent. */
  readonly maxParameterBytes?: number;
  /** What is counted as progress, in the plural. */
  readonly counts: string;
  readonly resumable: boolean;
  /** The server starts it again and again by itself, and logs what comes of it where that is news: jobs log it for debugging only. */
  readonly isRoutine?: true;
  /** What it writes to is no database of this server: it may also run where nothing is written. */
  readonly writesElsewhere?: true;
  access(parameters: Parameters): JobAccess;
  /** The database it writes to, by any name that is one database's alone; null: it only reads. One job writes to a database at a time. */
  writes(parameters: Parameters): string | null;
  /** Throws InvokeError for parameters that the schema cannot tell are wrong. */
  check?(parameters: Parameters): void;
  run(job: JobRun<Parameters>, from: Json): AsyncGenerator<Slice, Json, void>;
}

/** The schema of a kind's parameters: those of `required` must be given. */
export function parametersOf(properties: object, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** The name of a file or folder of the server's machine. */
export const FILE_PARAMETER = { type: 'string', minLength: 1, maxLength: 4096, format: 'long-text' };
