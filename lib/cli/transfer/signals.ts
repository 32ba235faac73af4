import os from 'node:os';

/** Signals that end a long command between two steps. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** The status a shell gives a program that was ended by the signal. */
  readonly status: number;
  stop(): void;
}

/** A second signal ends the program at once. */
export function listen(signals: readonly NodeJS.Signals[]): Interrupt {
  const controller = new AbortController();
  let status = 1;
  const handlers = signals.map((name) => {
    const handler = () => {
      status = 128 + os.constants.signals[name];
      controller.abort();
      stop();
    };
    process.on(name, handler);
    return () => process.removeListener(name, handler);
  });
  function stop(): void {
    for (const remove of handlers) remove();
  }
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    stop,
  };
}
