/**
 * Answers that may be worked out in parallel but are given in order: a chain of tasks, each run when everything
 * before it is done.
 */
export class OrderedAnswers {
  private tail: Promise<void> | null = null;
  private readonly onSettled: () => void;
  private readonly onFailure: (error: unknown) => void;

  /**
   * @param onSettled called when a task is done that could not be done at once
   * @param onFailure called once for each task from the first that failed on
   */
  constructor(onSettled: () => void, onFailure: (error: unknown) => void) {
    this.onSettled = onSettled;
    this.onFailure = onFailure;
  }

  /** True when nothing is outstanding. */
  get isEmpty(): boolean {
    return this.tail === null;
  }

  /** Runs the task at once if nothing is outstanding, otherwise in its turn. */
  add(task: () => void | Promise<void>): void {
    const result = this.tail ? this.tail.then(task) : task();
    if (!(result instanceof Promise)) return;
    this.tail = result;
    result.then(
      () => {
        if (this.tail === result) this.tail = null;
        this.onSettled();
      },
      (error) => this.onFailure(error),
    );
  }
}
