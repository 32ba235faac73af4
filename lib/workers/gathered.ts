import { joinSnapshots, lasting, type Snapshot } from '../metrics/snapshot.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A worker that has not answered by now is shown as it was last: one that hangs must not hang the scrape. */
const PATIENCE_MS = 500;

/** The figures of all workers, as those of one server. */
export class Gathered {
  /** As each worker was seen last. */
  private readonly last = new Map<WorkerProcess, Snapshot>();
  /** What workers had counted that have ended. */
  private past: Snapshot = {};

  /**
   * @param workers all that are ready
   * @param asking one of them, which sends its own figures along
   * @param leader what the process counts that leads them
   */
  async join(
    workers: readonly WorkerProcess[],
    asking: WorkerProcess,
    own: Snapshot,
    leader: Snapshot,
  ): Promise<Snapshot> {
    this.last.set(asking, own);
    const others = workers.filter((worker) => worker !== asking);
    await Promise.all(
      others.map(async (worker) => {
        const now = await worker.ask('metrics', null, PATIENCE_MS).catch(() => null);
        // It may have ended meanwhile, and then is among the past.
        if (now && worker.isReady) this.last.set(worker, now as Snapshot);
      }),
    );
    return joinSnapshots([this.past, leader, ...this.last.values()]);
  }

  /** A worker has ended: what it counted stays, as far as it was seen. */
  end(worker: WorkerProcess): void {
    const seen = this.last.get(worker);
    if (!seen) return;
    this.last.delete(worker);
    this.past = joinSnapshots([this.past, lasting(seen)]);
  }
}
