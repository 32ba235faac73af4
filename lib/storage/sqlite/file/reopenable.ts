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
  const calls = new Map<Binding, number>();

  async function on<T>(call: (connection: Binding) => Promise<T>): Promise<T> {
    const connection = current;
    calls.set(connection, (calls.get(connection) ?? 0) + 1);
    try {
      return await call(connection);
    } finally {
      calls.set(connection, calls.get(connection)! - 1);
      closeReplaced(connection);
    }
  }

  function closeReplaced(connection: Binding): void {
    if (connection === current || calls.get(connection)) return;
    calls.delete(connection);
    // It only reads: nothing is lost if closing it fails.
    connection.close().catch(() => {});
  }

  return {
    get current() {
      return current;
    },
    replace(next) {
      const before = current;
      current = next;
      if (onCall) next.onCall(onCall);
      closeReplaced(before);
    },
    run: (sql, params) => on((connection) => connection.run(sql, params)),
    all: (sql, params) => on((connection) => connection.all(sql, params)),
    exec: (sql) => on((connection) => connection.exec(sql)),
    onCall(listener) {
      onCall = listener;
      current.onCall(listener);
    },
    busyMs: (now) => current.busyMs(now),
    interrupt: () => current.interrupt(),
    close: () => current.close(),
  };
}
