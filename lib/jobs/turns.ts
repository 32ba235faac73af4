import PQueue, { type QueueAddOptions } from 'p-queue';
import { nextOf, type Queued } from './policy.ts';

type Run = () => Promise<unknown>;

interface Entry extends Queued {
  readonly run: Run;
}

/** Runs jobs as the policy has it, on so many workers. */
export interface JobTurns {
  /** @param task must not reject */
  add(job: Queued, task: () => Promise<void>): void;
  /** Takes a job out that waits; false when it does not. */
  remove(id: number): boolean;
  /** Nothing is started any more; resolves when what runs has ended. */
  stop(): Promise<void>;
}

/**
 * A queue of p-queue's that hands out what may run now. It is empty, for p-queue, while everything in it waits for
 * a database: p-queue asks again whenever a job has ended.
 */
class PolicyQueue {
  private readonly waiting: Map<number, Entry>;
  private readonly running: Map<number, Queued>;

  constructor(waiting: Map<number, Entry>, running: Map<number, Queued>) {
    this.waiting = waiting;
    this.running = running;
  }

  get size(): number {
    return nextOf(this.waiting.values(), this.running.values()) ? 1 : 0;
  }

  enqueue(run: Run, options?: { readonly job?: Queued }): void {
    const { id, writes } = options!.job!;
    this.waiting.set(id, { id, writes, run });
  }

  dequeue(): Run | undefined {
    const next = nextOf(this.waiting.values(), this.running.values());
    if (!next) return undefined;
    this.waiting.delete(next.id);
    this.running.set(next.id, next);
    return next.run;
  }

  filter(): Run[] {
    return [...this.waiting.values()].map(({ run }) => run);
  }

  setPriority(): void {
    throw new Error('jobs have no priorities');
  }
}

export function createJobTurns(workers: number): JobTurns {
  const waiting = new Map<number, Entry>();
  const running = new Map<number, Queued>();
  class Waiting extends PolicyQueue {
    constructor() {
      super(waiting, running);
    }
  }
  const queue = new PQueue<PolicyQueue, QueueAddOptions & { readonly job?: Queued }>({
    concurrency: workers,
    queueClass: Waiting,
  });
  return {
    add(job, task) {
      // Before p-queue looks for the next: its database is free again by then.
      void queue.add(() => task().finally(() => running.delete(job.id)), { job });
    },
    remove: (id) => waiting.delete(id),
    async stop() {
      queue.pause();
      if (running.size > 0) await queue.onPendingZero();
    },
  };
}
