import { BoundedMap } from '../../asyncrpc/bounded-map.ts';
import type { TaskLine } from '../store.ts';

/** What the upstream said about tasks a moment ago. */
export interface ShortMemory<Value> {
  get(task: TaskLine): Value | undefined;
  set(task: TaskLine, value: Value): void;
  delete(task: TaskLine): void;
  clear(): void;
}

const MAX_BYTES = 32 * 1024 * 1024;
/** What an entry takes in addition to its task: its slot in the map, and a unihash. */
const ENTRY_BYTES = 224;

/**
 * @param ttlMs how long an answer is remembered; 0 remembers nothing
 * @param maxBytes approximate memory for the tasks; past this the oldest are forgotten
 */
export function createShortMemory<Value>(ttlMs: number, maxBytes = MAX_BYTES): ShortMemory<Value> {
  interface Entry {
    readonly until: number;
    readonly value: Value;
  }
  const remembered = new BoundedMap<TaskLine, Entry>(maxBytes, (task) => ENTRY_BYTES + task.length);
  return {
    get(task) {
      const found = remembered.get(task);
      return found && found.until > performance.now() ? found.value : undefined;
    },
    set(task, value) {
      if (ttlMs <= 0) return;
      const now = performance.now();
      // A copy: the task is often a slice that would keep the whole text it was cut from.
      remembered.set(Buffer.from(task).toString(), { until: now + ttlMs, value });
      // All live equally long: the oldest are over first.
      remembered.trim(({ until }) => until <= now);
    },
    delete: (task) => remembered.delete(task),
    clear: () => remembered.clear(),
  };
}
