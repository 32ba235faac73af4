import type { ProgramLogger } from '../../log.ts';

/** A logger, and how many lines worth a look it has written. */
export interface CountedLog {
  readonly log: ProgramLogger;
  readonly counts: { readonly warnings: number; readonly errors: number };
}

export function countLines(log: ProgramLogger): CountedLog {
  const counts = { warnings: 0, errors: 0 };
  return {
    counts,
    log: {
      ...log,
      warn(message, fields) {
        counts.warnings++;
        log.warn(message, fields);
      },
      error(message, fields) {
        counts.errors++;
        log.error(message, fields);
      },
    },
  };
}
