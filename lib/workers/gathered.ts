import { type Figures, joinFigures, lastingFigures, NO_FIGURES } from '../recorder/figures.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A worker that has not answered by now is shown as it was last: one that hangs must not hang the scrape. */
const PATIENCE_MS = 500;

/** The figures of all workers, as those of one server. */
export class Gathered {
  /** As each worker was seen last. */
  private readonly last = new Map<WorkerProcess, Figures>();
  /** What workers had counted that have ended. */
  private past = NO_FIGURES;
  private readonly ask: (worker: WorkerProcess, timeoutMs: number) => Promise<Figures>;

  /** @param ask what a worker counts now */
  constructor(ask: (worker: WorkerProcess, timeoutMs: number) => Promise<Figures>) {
    this.ask = ask;
  }

  /**
   * @param workers all that are ready
   * @param asking one of them, which sends its own figures along; null: nobody
   * @param leader what the process counts that leads them
   */
  async join(
    workers: readonly WorkerProcess[],
    asking: { readonly worker: WorkerProcess; readonly own: Figures } | null,
    leader: Figures,
  ): Promise<Figures> {
    if (asking) this.last.set(asking.worker, asking.own);
    const others = workers.filter((worker) => worker !== asking?.worker);
    await Promise.all(
      others.map(async (worker) => {
        const now = await this.ask(worker, PATIENCE_MS).catch(() => null);
        // It may have ended meanwhile, and then is among the past.
        if (now && worker.isReady) this.last.set(worker, now);
      }),
    );
    return joinFigures([this.past, leader, ...this.last.values()]);
  }

  /** A worker has ended: what it counted stays, as far as it was seen. */
  end(worker: WorkerProcess): void {
    const seen = this.last.get(worker);
    if (!seen) return;
    this.last.delete(worker);
    this.past = joinFigures([this.past, lastingFigures(seen)]);
  }
}
