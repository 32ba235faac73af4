import { Fifo } from './fifo.ts';

/**
 * How many requests of all connections may be under way at once (the cap of the write queue);
 * a long one counts as several.
 */
const MAX_UNDER_WAY = 10_000;

/**
 * Limits the requests that write, or may write, from when they are handed over until they are answered.
 * While the store is behind, further requests stay unread on their connections, whose sockets are then paused. What one
 * connection hands over together is not divided, so one such run may exceed the limit.
 */
export class WriteGate {
  /** Requests under way now. */
  requests = 0;
  /** How often a connection had to wait. */
  waits = 0;
  /** How many may be under way at once. */
  readonly limit: number;
  private waking = false;
  private readonly turns = new Fifo<() => void>();

  constructor(limit = MAX_UNDER_WAY) {
    this.limit = limit;
  }

  /** False while everybody must wait. */
  get isOpen(): boolean {
    return this.requests < this.limit;
  }

  /** Connections that wait for their turn. */
  get waiting(): number {
    return this.turns.length;
  }

  /** Counts requests as under way until `answered` settles. */
  count(requests: number, answered: Promise<unknown>): void {
    this.requests += requests;
    const end = () => {
      this.requests -= requests;
      this.wake();
    };
    answered.then(end, end);
  }

  /**
   * Calls `resume`, once, when it is the caller's turn: it must hand its request over before `resume` returns.
   * @returns a function that gives up the turn
   */
  wait(resume: () => void): () => void {
    this.waits++;
    this.turns.push(resume);
    return () => this.turns.remove(resume);
  }

  /** Calls `write` when it is its turn, and counts the requests from then on. */
  pass<T>(requests: number, write: () => Promise<T>): Promise<T> {
    const begin = () => {
      const written = write();
      this.count(requests, written);
      return written;
    };
    if (this.isOpen) return begin();
    return new Promise((resolve, reject) => this.wait(() => begin().then(resolve, reject)));
  }

  /** One at a time: each that passes may close the gate behind it. */
  private wake(): void {
    // A request that is refused at once ends inside `resume`: thousands of them must not nest.
    if (this.waking) return;
    this.waking = true;
    try {
      while (this.isOpen && !this.turns.isEmpty) this.turns.take()!();
    } finally {
      this.waking = false;
    }
  }
}
