import type { Binding } from '../engine/binding.ts';

/** A connection that can be replaced without its users noticing. */
export interface Reopenable extends Binding {
  /** The connection in use. */
  readonly current: Binding;
  /** Calls use this connection from now on; those under way finish on the old one, which is then closed. */
  replace(next: Binding): void;
}

export function reopenable(first: Binding): Reopenable {
  let current = first;
  let onCall: (() => void) | null = null;
  return {
    get current() {
      return current;
    },
    replace(next) {
      const before = current;
      current = next;
      if (onCall) next.onCall(onCall);
      // It only reads: nothing is lost if closing it fails.
      before.close().catch(() => {});
    },
    run: (sql, params) => current.run(sql, params),
    all: (sql, params) => current.all(sql, params),
    exec: (sql) => current.exec(sql),
    onCall(listener) {
      onCall = listener;
      current.onCall(listener);
    },
    busyMs: (now) => current.busyMs(now),
    interrupt: () => current.interrupt(),
    close: () => current.close(),
  };
}
