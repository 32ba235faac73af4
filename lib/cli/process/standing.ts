import type { Notify } from './service-manager.ts';

/** Tells a service manager what a server is doing, from its start to its end. */
export interface Standing {
  /** It is starting, which may take long: a large database may be checked. */
  starting(): void;
  /** Every address answers. From here on the manager hears regularly from it. */
  ready(): void;
  /** Its settings are read again meanwhile. */
  whileReloading<T>(work: () => Promise<T>): Promise<T>;
  stopping(): void;
}

export interface StandingOptions {
  readonly notify: Notify;
  /** How long the manager waits for a sign of life; null: for ever. */
  readonly watchdogMs: number | null;
  /** One line about the server for `systemctl status`, when it is ready. */
  readonly describe: () => string;
}

/** Where nobody is told. */
export const UNTOLD: Standing = {
  starting() {},
  ready() {},
  whileReloading: (work) => work(),
  stopping() {},
};

const EXTEND_EVERY_MS = 10_000;
const EXTEND_BY_USEC = 60_000_000;
const STATUS_EVERY_MS = 60_000;

export function createStanding({ notify, watchdogMs, describe }: StandingOptions): Standing {
  let timers: NodeJS.Timeout[] = [];
  let told = '';
  let isUp = false;

  const every = (ms: number, task: () => void) => {
    const timer = setInterval(task, ms);
    timer.unref();
    timers.push(timer);
  };
  const clear = () => {
    for (const timer of timers) clearInterval(timer);
    timers = [];
  };
  /** Only where it has changed: each message is a process. */
  const status = () => {
    const now = describe();
    if (now === told) return [];
    told = now;
    return [`STATUS=${now}`];
  };
  /** That this runs shows that the event loop turns; a server whose database failed is ending. */
  const alive = async (isAgain = false) => {
    const sent = await notify('WATCHDOG=1', ...status());
    // Not heard in time, the manager would end the server: a machine may be short of processes for a moment.
    if (!sent && !isAgain && isUp) setTimeout(() => void alive(true), watchdogMs! / 8).unref();
  };

  return {
    starting() {
      every(
        EXTEND_EVERY_MS,
        () => void notify(`EXTEND_TIMEOUT_USEC=${EXTEND_BY_USEC}`, 'STATUS=Opening the databases'),
      );
    },
    ready() {
      clear();
      isUp = true;
      void notify('READY=1', ...status());
      if (watchdogMs !== null) every(watchdogMs / 2, () => void alive());
      else
        every(STATUS_EVERY_MS, () => {
          const now = status();
          if (now.length > 0) void notify(...now);
        });
    },
    async whileReloading(work) {
      if (!isUp) return work();
      void notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
      try {
        return await work();
      } finally {
        if (isUp) void notify('READY=1', ...status());
      }
    },
    stopping() {
      clear();
      isUp = false;
      void notify('STOPPING=1', 'STATUS=Answering what was read, and closing the databases');
    },
  };
}
