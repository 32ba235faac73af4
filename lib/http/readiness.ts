import { clientMessage } from '../asyncrpc/faults.ts';

/** A store as it is looked at. */
export interface StoreProbe {
  /** As the settings call the service, and as people do. */
  readonly service: string;
  readonly name: string;
  /** Reads something that no cache can answer. */
  read(): Promise<unknown>;
  /** Rewrites a page unchanged; null where nothing is written. */
  readonly write: (() => Promise<void>) | null;
  /** Whether the upstream answers, as far as is known; null where there is none. */
  upstream(): 'reachable' | 'unreachable' | null;
}

/** What a look found: `ok`, or what is wrong. */
export interface ReadyReport {
  readonly status: 'ready' | 'not ready';
  readonly stopping: boolean;
  readonly stores: Readonly<Record<string, { readonly read: string; readonly write: string }>>;
  /** For information: a server whose upstream is away answers what it knows. */
  readonly upstreams: Readonly<Record<string, 'reachable' | 'unreachable'>>;
}

/** However many ask, there is one look in this time. */
const LOOK_EVERY_MS = 250;
/** Until it is as old as this a look is good enough: who asks often is answered at once, however busy the stores are. */
const GOOD_FOR_MS = 1000;
/** A write is synced to the disk: while all is well it is tried less often. */
const WRITE_EVERY_MS = 2000;
/** A store that has not answered by now is not ready. Less than the second that probes usually wait. */
const PATIENCE_MS = 800;

interface Look {
  readonly stores: ReadyReport['stores'];
  readonly at: number;
}

/** Whether the stores can be read and written, looked at on demand and by all who ask together. */
export class Readiness {
  stopping = false;
  private readonly probes: readonly StoreProbe[];
  private last: Look | null = null;
  private looking: Promise<Look> | null = null;
  private begunAt = Number.NEGATIVE_INFINITY;
  /** When each service was last written for certain. */
  private readonly written = new Map<string, number>();

  constructor(probes: readonly StoreProbe[]) {
    this.probes = probes;
  }

  /** The latest look, or one that begins now; at once if one is good enough. */
  async report(): Promise<ReadyReport> {
    const now = performance.now();
    if (!this.stopping && now - this.begunAt >= LOOK_EVERY_MS) this.look(now);
    const { last, looking } = this;
    const isGood = last !== null && now - last.at < GOOD_FOR_MS;
    const look = !isGood && looking ? await looking : last;
    return this.reportOf(look?.stores ?? {});
  }

  private look(now: number): void {
    // One look at a time: behind a locked database they would pile up.
    if (this.looking) return;
    this.begunAt = now;
    this.looking = this.lookAtAll(now).then((look) => {
      this.last = look;
      this.looking = null;
      return look;
    });
  }

  private async lookAtAll(now: number): Promise<Look> {
    const stores: Record<string, { read: string; write: string }> = {};
    await Promise.all(
      this.probes.map(async ({ service, read, write }) => {
        const reading = outcomeOf(read);
        const due = now - (this.written.get(service) ?? Number.NEGATIVE_INFINITY) >= WRITE_EVERY_MS;
        const writing = write && due ? outcomeOf(write) : null;
        const [readSaid, writeSaid] = await Promise.all([reading, writing]);
        if (writeSaid === 'ok') this.written.set(service, now);
        else if (writeSaid !== null) this.written.delete(service);
        stores[service] = { read: readSaid, write: writeSaid ?? (write ? 'ok' : 'read-only') };
      }),
    );
    return { stores, at: performance.now() };
  }

  private reportOf(stores: ReadyReport['stores']): ReadyReport {
    const { stopping } = this;
    const isWell = Object.values(stores).every(({ read, write }) => read === 'ok' && WELL.includes(write));
    const upstreams: Record<string, 'reachable' | 'unreachable'> = {};
    for (const { service, upstream } of this.probes) {
      const state = upstream();
      if (state !== null) upstreams[service] = state;
    }
    return { status: isWell && !stopping ? 'ready' : 'not ready', stopping, stores, upstreams };
  }
}

const WELL = ['ok', 'read-only'];

/** `ok`, or what a client is told of what went wrong. */
async function outcomeOf(attempt: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer for ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
  });
  const done = attempt().then(
    () => 'ok',
    (error) => clientMessage(error),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
