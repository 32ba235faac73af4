import { ProtocolError, reasonOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { BackOff, jittered } from '../back-off.ts';

/**
 * Whether an upstream is worth asking. After some failures in a row it opens: nothing is asked, everything is answered
 * locally at once, and a probe in the background finds out when the upstream is back. One good answer closes it.
 */
export interface Breaker {
  readonly isOpen: boolean;
  /** Open, and not only because of late answers: the upstream cannot be reached, refuses, or does not answer a probe either. */
  readonly isDead: boolean;
  /** A good answer to a look-up came. */
  succeeded(): void;
  /** Something went wrong. `why` is logged if this opens the breaker. */
  failed(why: Error): void;
  /** Something was changed that it may have failed on: probes at once where it is open. */
  retryNow(): void;
  close(): void;
}

/** Only people can fix this (a wrong token, a loop): opens the breaker at once, and probes become rare. */
export class LastingRefusal extends ProtocolError {}

/** No answer in time: the upstream may be gone, or only slow. */
export class LateAnswer extends ProtocolError {}

export interface BreakerOptions {
  /** The upstream's address, for log lines. */
  readonly name: string;
  /** The service it is an upstream for. */
  readonly service: string;
  readonly log: Logger;
  /** Resolves when the upstream has given a good answer; rejects otherwise. */
  readonly probe: () => Promise<void>;
  /** Called when it opens: whatever waits for the upstream must be answered without it. */
  readonly onOpen: () => void;
  /** Called when the upstream is found dead, at once or by a probe: patient requests must not wait for it either. */
  readonly onDead: () => void;
}

const FAILURES = 3;
/** The first probe, and the longest time between two. */
const FIRST_PROBE_MS = 250;
const LONGEST_PROBE_MS = 2000;
const LONGEST_PROBE_OF_REFUSED_MS = 30_000;

export function createBreaker({ name, service, log, probe, onOpen, onDead }: BreakerOptions): Breaker {
  let failures = 0;
  let isOpen = false;
  let isDead = false;
  let closed = false;
  const pauses = new BackOff(FIRST_PROBE_MS, LONGEST_PROBE_MS);
  /** A look-up has been answered since the breaker last closed. */
  let proven = true;
  /** It answers probes but no look-ups: logged once, not each time the breaker opens. */
  let flapping = false;
  let timer: NodeJS.Timeout | null = null;

  function schedule(longestMs = LONGEST_PROBE_MS): void {
    if (closed || !isOpen) return;
    timer = setTimeout(look, jittered(pauses.next(longestMs)));
    timer.unref();
  }

  async function look(): Promise<void> {
    timer = null;
    try {
      await probe();
      end();
    } catch (error) {
      die();
      schedule(error instanceof LastingRefusal ? LONGEST_PROBE_OF_REFUSED_MS : LONGEST_PROBE_MS);
    }
  }

  function end(): void {
    if (!isOpen || closed) return;
    failures = 0;
    isOpen = false;
    isDead = false;
    proven = false;
    if (timer) clearTimeout(timer);
    if (!flapping) log.info('upstream answers again: look-ups are passed on', { service, upstream: name });
  }

  function die(): void {
    if (isDead || !isOpen || closed) return;
    isDead = true;
    onDead();
  }

  function begin(why: Error): void {
    isOpen = true;
    if (proven) pauses.reset();
    const fields = { service, upstream: name, reason: reasonOf(why) };
    if (proven) log.warn('upstream does not answer: look-ups are answered locally until it does', fields);
    else if (!flapping) log.warn('upstream answers a ping, but not look-ups: they are answered locally', fields);
    flapping = !proven;
    onOpen();
    if (!(why instanceof LateAnswer)) die();
    schedule();
  }

  return {
    get isOpen() {
      return isOpen;
    },
    get isDead() {
      return isDead;
    },
    succeeded() {
      failures = 0;
      proven = true;
      if (!flapping) return;
      flapping = false;
      log.info('upstream answers look-ups again', { service, upstream: name });
    },
    failed(why) {
      if (isOpen || closed) return;
      if (++failures >= FAILURES || why instanceof LastingRefusal) begin(why);
    },
    retryNow() {
      pauses.reset();
      if (!isOpen || closed || !timer) return;
      clearTimeout(timer);
      void look();
    },
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
    },
  };
}
