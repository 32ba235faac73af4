import type { Logger } from '../log.ts';
import type { WorkerProcess } from './worker-process.ts';

/** So many beats are in the time after which a worker counts as hung. */
const BEATS = 4;

/** Finds workers whose event loop does not turn any more, and ends them: nothing else would, as they still have their connections. */
export class Heartbeat {
  private readonly timer: NodeJS.Timeout;
  private readonly log: Logger;

  /**
   * @param timeoutMs how long a worker may be silent
   * @param serving those that are looked after. A start may take long, and whoever hangs there serves nobody
   */
  constructor(timeoutMs: number, log: Logger, serving: () => readonly WorkerProcess[]) {
    this.log = log;
    this.timer = setInterval(() => {
      for (const worker of serving()) if (worker.beat() >= BEATS) this.end(worker);
    }, timeoutMs / BEATS).unref();
  }

  /** Ends those that owe a sign of life. */
  endSilent(workers: Iterable<WorkerProcess>): void {
    for (const worker of workers) if (worker.isSilent) this.end(worker);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private end(worker: WorkerProcess): void {
    this.log.error('a worker does not answer any more: it is ended', { worker: worker.number, pid: worker.pid });
    worker.kill();
  }
}
