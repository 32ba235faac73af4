/** Whether the server answers; while it does not, when it is asked again. */
export interface ReachState {
  readonly isAway: boolean;
  /** Grows each time the server is back: what is shown must then be asked for again. */
  readonly generation: number;
}

interface Outside {
  /** Whether the server answers. */
  ping(): Promise<boolean>;
  wait(ms: number, then: () => void): void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;

/** Knows whether the server answers. Once a request found that it does not, it asks until it is back, more and more seldom. */
export class Reach {
  private current: ReachState = { isAway: false, generation: 0 };
  private readonly listeners = new Set<() => void>();
  private readonly outside: Outside;

  constructor(outside: Outside) {
    this.outside = outside;
  }

  get state(): ReachState {
    return this.current;
  }

  /** @returns ends it */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A request was answered, or by nobody. One answer does not end it: the server is asked for its health first. */
  note(isAway: boolean): void {
    if (!isAway || this.current.isAway) return;
    this.set({ ...this.current, isAway: true });
    this.tryLater(FIRST_WAIT_MS);
  }

  private tryLater(waitMs: number): void {
    this.outside.wait(waitMs, () => {
      this.outside.ping().then(
        (isThere) => (isThere ? this.isBack() : this.tryLater(Math.min(waitMs * 2, LONGEST_WAIT_MS))),
        () => this.tryLater(Math.min(waitMs * 2, LONGEST_WAIT_MS)),
      );
    });
  }

  private isBack(): void {
    this.set({ isAway: false, generation: this.current.generation + 1 });
  }

  private set(state: ReachState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}
