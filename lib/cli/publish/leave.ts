import type { EventEmitter } from 'node:events';
import os from 'node:os';
import { createOut } from '../client/out.ts';

/** How whoever leaves a job gets back to it. */
export interface WayBack {
  /** The options of `bakeserv jobs wait` that name its server; empty where it is the only one. */
  readonly options: readonly string[];
  readonly json: boolean;
}

/** Waits for a job; Ctrl-C ends the waiting alone, and says how to come back. */
export async function waitOrLeave<T>(
  id: number,
  { options, json }: WayBack,
  waiting: () => Promise<T>,
  signals: EventEmitter = process,
  exit: (status: number) => void = process.exit,
): Promise<T> {
  const leave = () => {
    const out = createOut(json);
    const told = `job ${id} goes on in the server: ${['bakeserv jobs wait', id, ...options].join(' ')}`;
    // Behind the bar, and the ^C of the terminal.
    if (json) out.error(told);
    else out.note(process.stderr.isTTY ? `\n${told}` : told);
    exit(128 + os.constants.signals.SIGINT);
  };
  signals.once('SIGINT', leave);
  try {
    return await waiting();
  } finally {
    signals.off('SIGINT', leave);
  }
}
