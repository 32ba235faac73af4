import type { TaskLine } from './store.ts';

/** What the upstream said of tasks a moment ago. */
export interface ShortMemory<Value> {
  get(task: TaskLine): Value | undefined;
  set(task: TaskLine, value: Value): void;
  delete(task: TaskLine): void;
  clear(): void;
}

/**
 * @param ttlMs how long an answer is remembered; 0 remembers nothing
 * @param maxTasks past this the oldest are forgotten
 */
export function createShortMemory<Value>(ttlMs: number, maxTasks = 200_000): ShortMemory<Value> {
  // Oldest first: a Map keeps the order of insertion, and all live equally long.
  const remembered = new Map<TaskLine, { readonly until: number; readonly value: Value }>();

  function trim(now: number): void {
    for (const [task, { until }] of remembered) {
      if (until > now && remembered.size <= maxTasks) return;
      remembered.delete(task);
    }
  }

  return {
    get(task) {
      const found = remembered.get(task);
      return found && found.until > performance.now() ? found.value : undefined;
    },
    set(task, value) {
      if (ttlMs <= 0) return;
      const now = performance.now();
      remembered.delete(task);
      // A copy: the task is often a slice that would keep the whole text it was cut from.
      remembered.set(Buffer.from(task).toString(), { until: now + ttlMs, value });
      trim(now);
    },
    delete: (task) => void remembered.delete(task),
    clear: () => remembered.clear(),
  };
}
