import { watchEventLoop } from './event-loop.ts';
import { createProcessFigures, type ProcessFigures } from './process.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import type { MetricSources } from './sources.ts';

/** What an HTTP listener shows under /metrics. */
export interface MetricsSource {
  /** For the Content-Type header. */
  readonly contentType: string;
  /** All metrics, not older than a moment; however many ask, and however often, they are collected a few times a second. */
  text(): Promise<string>;
  /** All metrics as they are now. */
  now(): Promise<string>;
}

/** For so long everybody gets the same text. */
const KEPT_MS = 200;
/** A page asks for several things at once, and many pages do: what the system says is asked for once in this time. */
const QUIET_MS = 1000;

/** The metrics of a server. Until somebody wants them nothing is watched, and prom-client is not loaded. */
export interface Metrics {
  source(): Promise<MetricsSource>;
  /** What this process counts now, for a server of several processes. */
  snapshot(): Promise<Snapshot>;
  /**
   * The same for whoever looks now and then, whether or not somebody wants to know: nothing is watched from then on.
   * @param counting rows are counted in the background, unless that was done not long ago
   */
  quietSnapshot(counting: boolean): Promise<Snapshot>;
  close(): void;
}

/** @param withOthers adds what the other processes of the server count */
export function createMetrics(
  sources: Omit<MetricSources, 'eventLoop' | 'process'>,
  withOthers: (own: Snapshot) => Promise<Snapshot> = async (own) => own,
): Metrics {
  let opened: Promise<MetricsSource> | null = null;
  let process: ProcessFigures | null = null;
  const eventLoop = watchEventLoop();
  let closed = false;

  function snapshot(): Promise<Snapshot> {
    if (!closed) eventLoop.wanted();
    return look(true, 0);
  }

  async function look(counting: boolean, maxAgeMs: number): Promise<Snapshot> {
    if (counting) for (const { store } of sources.databases) void store.counts.refresh();
    process ??= createProcessFigures(sources.databases.map(({ store }) => store.file));
    await process.refresh(maxAgeMs);
    return takeSnapshot({ ...sources, eventLoop: eventLoop.delays, process });
  }

  async function open(): Promise<MetricsSource> {
    const { createExposition } = await import('./exposition.ts');
    const exposition = createExposition();
    const now = async () => exposition.text(await withOthers(await snapshot()));
    return { contentType: exposition.contentType, text: keptFor(KEPT_MS, now), now };
  }

  return {
    source() {
      opened ??= open();
      return opened;
    },
    snapshot,
    quietSnapshot: (counting) => look(counting, QUIET_MS),
    close() {
      closed = true;
      eventLoop.close();
    },
  };
}

/** Makes it at most once at a time, and not again for so long after it was there; a failure is not kept. */
export function keptFor<T>(keptMs: number, make: () => Promise<T>, now = () => performance.now()): () => Promise<T> {
  let current: Promise<T> | null = null;
  let doneAt: number | null = null;
  return () => {
    if (current && (doneAt === null || now() - doneAt < keptMs)) return current;
    doneAt = null;
    const made = make();
    current = made;
    made.then(
      () => {
        doneAt = now();
      },
      () => {
        if (current === made) current = null;
      },
    );
    return made;
  };
}
