import type { Build, Lease } from '../process/control.ts';
import { processStart } from './process-start.ts';

/** Tracks who needs a private server, and when nobody does any more. */
export interface Tenancy {
  /** A build was given the addresses. False once the server is about to end. */
  join(build: Build): boolean;
  /**
   * A process leases the server.
   * @param pid the process; its build is over when it returns the lease
   * @param onStop called when somebody asked the server to stop
   * @returns null once the server is about to end
   */
  lease(pid: number, onStop: () => void): Lease | null;
  /** Somebody asked the server to stop: tells those who hold a lease. */
  stopped(): void;
  close(): void;
}

export interface TenancyOptions {
  /** The build the server was started for. */
  readonly first: Build;
  /** Milliseconds since a client was last connected; 0 while one is. */
  readonly clientsIdleMs: () => number;
  /** Called once, with the reason, when nobody needs the server any more. */
  readonly onUnused: (reason: string) => void;
  /** The clock; tests replace it. */
  readonly now?: () => number;
}

/** How often it is seen whether the process of a build has ended. Nothing gives notice of that. */
const PROCESS_LOOK_MS = 1000;
/** The longest time a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The server ends when no lease is held and every build is over. A build that named a process is over when that process
 * ends; one that only has the addresses is over when no client was connected for its idle time.
 */
export function createTenancy({
  first,
  clientsIdleMs,
  onUnused,
  now = () => performance.now(),
}: TenancyOptions): Tenancy {
  const builds = new Map<string, Build & { readonly start: string | null }>();
  const leases = new Set<() => void>();
  /** When the last lease was returned, or the last build was given the addresses. */
  let lastUse = now();
  let ending = false;
  let closed = false;

  const over = ({ idleMs, parent, start }: Build & { start: string | null }): string | null => {
    if (parent !== null && processStart(parent) !== start) return `the end of process ${parent}`;
    const idle = Math.min(clientsIdleMs(), now() - lastUse);
    return idleMs > 0 && idle >= idleMs ? `no client for ${idleMs / 1000} s` : null;
  };

  const look = (reason: string) => {
    if (ending || leases.size > 0) return;
    let why = reason;
    for (const build of builds.values()) {
      const ended = over(build);
      if (ended === null) return;
      why = ended;
    }
    ending = true;
    onUnused(why);
  };

  const add = (build: Build) => {
    const start = build.parent === null ? null : processStart(build.parent);
    builds.set(`${build.idleMs} ${build.parent}`, { ...build, start });
    lastUse = now();
    watch();
  };

  let timer: NodeJS.Timeout | undefined;
  /** Looks again when the answer can be another one. A server that is left alone is woken for nothing else. */
  const watch = () => {
    clearTimeout(timer);
    if (closed || ending || leases.size > 0) return;
    timer = setTimeout(() => {
      forgetEnded();
      look('the end of the last build');
      watch();
    }, nextLookMs()).unref();
  };
  const nextLookMs = () => {
    const idle = Math.min(clientsIdleMs(), now() - lastUse);
    let longest = 0;
    for (const { idleMs, parent } of builds.values()) {
      if (parent !== null) return PROCESS_LOOK_MS;
      longest = Math.max(longest, idleMs > 0 ? idleMs - idle : LONGEST_TIMER_MS);
    }
    // A millisecond more: a timer may be early by a part of one.
    return Math.min(LONGEST_TIMER_MS, Math.max(longest, 0) + 1);
  };
  /** Forgets builds of processes that have ended, while others go on. Keeps the last one, to report why the server ends. */
  const forgetEnded = () => {
    for (const [key, { parent, start }] of builds)
      if (builds.size > 1 && parent !== null && processStart(parent) !== start) builds.delete(key);
  };

  add(first);
  return {
    join(build) {
      if (ending) return false;
      add(build);
      return true;
    },
    lease(pid, onStop) {
      if (ending) return null;
      leases.add(onStop);
      return {
        release() {
          leases.delete(onStop);
          lastUse = now();
          for (const [key, { parent }] of builds) if (parent === pid) builds.delete(key);
          look('the end of the last build');
          watch();
          return ending ? 'ends' : 'kept';
        },
      };
    },
    stopped() {
      ending = true;
      for (const tell of leases) tell();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
