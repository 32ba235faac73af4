import type { JobsCall } from '../jobs/elsewhere.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { History } from '../recorder/recorder.ts';
import type { HandedDoors } from './doors.ts';

/** What a worker has of the process that leads it (`--workers`). */
export interface Crew {
  /**
   * Its databases are open in other workers too: they were checked when the first opened them.
   */
  readonly joinsOthers: boolean;
  /** Called once the databases are open: resolves to the listeners whose clients it gets. */
  listeners(): Promise<HandedDoors>;
  /** Asks the process that runs the jobs of all; null where that is this one. */
  readonly jobs: ((call: JobsCall) => Promise<unknown>) | null;
  /** Asks the process that mirrors; null where that is this one. */
  readonly mirrors: (() => Promise<readonly MirrorStatus[]>) | null;
  /** What all of them count, this one included. */
  metrics(own: Snapshot): Promise<Snapshot>;
  /** The figures of all of them over time. */
  readonly history: History;
  /** Clients of all of them. */
  clients(): Promise<number>;
}
