import { Histogram } from '../meter/histogram.ts';

const EVERY_MS = 25;
/** A server that nobody scrapes any more is left alone. */
const WATCH_MS = 300_000;

/** How late timers run, while somebody wants to know. */
export interface EventLoopWatch {
  readonly delays: Histogram;
  /** Somebody has asked: it is watched for some minutes more. */
  wanted(): void;
  close(): void;
}

/** It keeps no process alive. */
export function watchEventLoop(): EventLoopWatch {
  const delays = new Histogram();
  let timer: NodeJS.Timeout | null = null;
  let lookedAt = 0;
  let wantedAt = 0;

  function close(): void {
    if (timer) clearInterval(timer);
    timer = null;
  }

  function look(): void {
    const now = performance.now();
    delays.observe((now - lookedAt - EVERY_MS) / 1000);
    lookedAt = now;
    if (now - wantedAt > WATCH_MS) close();
  }

  return {
    delays,
    wanted() {
      wantedAt = performance.now();
      if (timer) return;
      lookedAt = wantedAt;
      timer = setInterval(look, EVERY_MS);
      timer.unref();
    },
    close,
  };
}
