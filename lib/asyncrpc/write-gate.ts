import { Fifo } from './fifo.ts';

/**
 * Requests that may be under way at once, of all connections (the cap of the write queue);
 * a long one counts as several.
 */
const MAX_UNDER_WAY = 10_000;

/**
 * Bounds the requests that write, or may write, from the moment they are handed over to the moment they are answered.
 * While the store is behind, further ones stay unread on their connections, whose sockets are then paused. What one
 * connection hands over together is not divided, so the bound may be passed by one such run.
 */
export class WriteGate {
  private underWay = 0;
  private waking = false;
  private readonly turns = new Fifo<() => void>();
  private readonly max: number;

  constructor(max = MAX_UNDER_WAY) {
    this.max = max;
  }

  /** False while everybody has to wait. */
  get isOpen(): boolean {
    return this.underWay < this.max;
  }

  /** Connections that wait for their turn. */
  get waiting(): number {
    return this.turns.length;
  }

  /** Counts requests that were handed over, until `answered` settles. */
  count(requests: number, answered: Promise<unknown>): void {
    this.underWay += requests;
    const end = () => {
      this.underWay -= requests;
      this.wake();
    };
    answered.then(end, end);
  }

  /**
   * Calls `resume`, once, when it is the caller's turn: its request is to be handed over before `resume` returns.
   * @returns how to give the turn up
   */
  wait(resume: () => void): () => void {
    this.turns.push(resume);
    return () => this.turns.remove(resume);
  }

  /** Begins writing when it is its turn; counted from then on. */
  pass<T>(requests: number, write: () => Promise<T>): Promise<T> {
    const begin = () => {
      const written = write();
      this.count(requests, written);
      return written;
    };
    if (this.isOpen) return begin();
    return new Promise((resolve, reject) => this.wait(() => begin().then(resolve, reject)));
  }

  /** One after the other: each that goes on may close the gate behind it. */
  private wake(): void {
    // A request that is refused on the spot ends inside `resume`: thousands of them must not nest.
    if (this.waking) return;
    this.waking = true;
    try {
      while (this.isOpen && !this.turns.isEmpty) this.turns.take()!();
    } finally {
      this.waking = false;
    }
  }
}
