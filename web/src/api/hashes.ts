import type { Api } from './client.ts';

/** A report of a task, with the unihash the task has. */
export interface TaskRow {
  readonly method: string;
  readonly taskhash: string;
  readonly unihash: string | null;
  readonly outhash: string | null;
  readonly owner: string | null;
  readonly PN: string | null;
  readonly PV: string | null;
  readonly PR: string | null;
  readonly task: string | null;
  readonly created: string | null;
  /** Whether there is a signature text. */
  readonly siginfo: boolean;
}

/** `GET /find` */
export interface Found {
  readonly text: string;
  /** What it is known as; nothing where it is not known. */
  readonly is: readonly ('taskhash' | 'outhash' | 'unihash' | 'recipe')[];
  readonly rows: readonly TaskRow[];
  readonly equivalent: readonly TaskRow[];
  /** There are more than were asked for. */
  readonly cut: boolean;
  /** False: the time was over before all was looked through. */
  readonly complete: boolean;
}

export const findTask = (api: Api, text: string, limit: number, signal: AbortSignal) =>
  api.ask<Found>('GET', ['find'], { query: { text, limit }, signal });
