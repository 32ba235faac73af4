import { performance } from 'node:perf_hooks';
import { Fifo } from '../fifo.ts';

/** How long one connection may work in a row while others wait … */
const SLICE_MS = 1;
/** … and all together before the event loop reads sockets again. */
const TURN_MS = 5;

/** Something that works in slices, and comes back for the rest. */
export interface Worker {
  /** Works on, notes the time it spends, and asks for another turn if it is not done. */
  work(): void;
}

/**
 * Turns at the event loop. Requests that can be answered at once never wait for anything, so a flood of them would be worked off
 * in one go while everybody else waits: a connection that has used its slice waits behind those that have not.
 */
export class Turns {
  private spentMs = 0;
  private scheduled = false;
  /** Workers that have new input, and workers that have used a slice and are not done. */
  private readonly fresh = new Fifo<Worker>();
  private readonly busy = new Fifo<Worker>();
  /** Those that go on once they are told so, which is after the turn in which they are. */
  private readonly waiting = new Fifo<() => void>();

  /** Whether this turn is used up, and workers must wait for the next. */
  get isOver(): boolean {
    return this.spentMs >= TURN_MS;
  }

  /** Whether the slice that started at that time is used up. */
  isSpent(began: number): boolean {
    return performance.now() - began >= SLICE_MS;
  }

  /** Counts the time since `began`. */
  spend(began: number): void {
    this.spentMs += performance.now() - began;
    if (this.isOver) this.schedule();
  }

  /** Queues the worker for its turn; `isBusy` if it has used a slice and is not done. */
  queue(worker: Worker, isBusy: boolean): void {
    if (isBusy) this.busy.push(worker);
    else this.fresh.push(worker);
    this.schedule();
  }

  /** Resolves in a turn of the caller's own, after what else waited: for what is done piece by piece, a slice at a time. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.run());
  }

  private run(): void {
    this.scheduled = false;
    // What comes in meanwhile is for the next turn. One that is busy goes on in each, however many are fresh, and
    // leaves to those their part, whatever it took.
    let left = this.fresh.length + this.busy.length - 1;
    this.spentMs = 0;
    this.busy.take()?.work();
    this.spentMs = 0;
    for (; left >= 0 && !this.isOver; left--) {
      const worker = this.fresh.take() ?? this.busy.take();
      if (!worker) break;
      worker.work();
    }
    // One a turn: what it does is not seen before this has returned, and a hundred would do theirs in a row.
    this.waiting.take()?.();
    if (!this.fresh.isEmpty || !this.busy.isEmpty || !this.waiting.isEmpty) this.schedule();
  }
}
