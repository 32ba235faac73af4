import type { PrStore } from '../store.ts';

/** What the kinds of PR values work on. */
export interface PrJobParts {
  readonly store: PrStore;
  /** The name of the database, as no other has it. */
  readonly database: string;
  /** Throws InvokeError for a file that a job must not touch. */
  readonly requireFile: (file: string) => void;
}
