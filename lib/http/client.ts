import type http from 'node:http';
import type { Duplex } from 'node:stream';
import type { LimitHits, Limits } from '../asyncrpc/limits.ts';
import type { Hub, Loan, LoanOwner } from '../asyncrpc/server/hub.ts';
import { countedAddress } from '../asyncrpc/server/places.ts';
import type { Peer } from '../asyncrpc/service.ts';
import type { Logger } from '../log.ts';
import { HttpStream } from './stream.ts';

/** How long the remaining input of a closing connection is read and dropped, so that a reset does not destroy the last answer. */
const LINGER_MS = 1000;

/** One HTTP connection: it is counted with all others, and kept within its limits. */
export class HttpClient implements LoanOwner {
  readonly peer: Peer;
  /** As limits count it. */
  readonly address: string | null;
  readonly socket: Duplex;
  readonly stream: HttpStream;
  /** Null where there was no room for it. */
  readonly loan: Loan | null;
  private readonly limits: Limits;
  private readonly hits: LimitHits;
  private readonly log: Logger;
  /** Requests whose answer is not complete, and the newest request. */
  private unanswered = 0;
  private newest: http.IncomingMessage | null = null;
  private newestAnswer: http.ServerResponse | null = null;
  /** Bytes of the requests that are not answered, or of the head of one that has begun. */
  private read = 0;
  /** Since when it has been idle, or has sent the head of a request, or its body. */
  private since = performance.now();
  private unsent = 0;
  private movedAt = performance.now();
  private endedAt = 0;
  private stopping = false;

  constructor(socket: Duplex, peer: Peer, hub: Hub, limits: Limits, log: Logger) {
    this.peer = peer;
    this.address = countedAddress(peer.address);
    this.socket = socket;
    this.limits = limits;
    this.hits = hub.figures.hits;
    this.log = log;
    this.stream = new HttpStream(socket, {
      turns: hub.turns,
      mayPass: () => this.mayPass,
      isBody: () => this.unanswered > 0,
      onPass: (bytes) => this.passed(bytes),
    });
    this.stream.on('error', () => {});
    this.stream.on('finish', () => this.sentAll());
    this.loan = hub.lend(socket, peer, this);
  }

  /** Nothing of a request has come that is not answered. */
  get isIdle(): boolean {
    return this.unanswered === 0 && this.read === 0;
  }

  /** The headers of a request have come, and it is not answered. */
  get isAsking(): boolean {
    return this.unanswered > 0;
  }

  /** The server is working for it, and neither waits for the rest of a request nor for the answer to be read. */
  get isServed(): boolean {
    return this.unanswered > 0 && this.newest!.complete && this.stream.writableLength === 0;
  }

  /** The answer to a request whose body is not complete, as long as nothing of it was sent; otherwise null. */
  get openAnswer(): http.ServerResponse | null {
    return this.newest?.complete || this.newestAnswer?.headersSent ? null : this.newestAnswer;
  }

  /** How long it has been as it is, in milliseconds. */
  idleMs(now: number): number {
    return now - this.since;
  }

  /** A request has begun; it is over when its answer is complete or given up. */
  asks(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.loan!.ready();
    this.newest = request;
    this.newestAnswer = response;
    if (this.unanswered++ === 0) this.since = performance.now();
    // Otherwise the rest of it would be read, however long it is, by nobody.
    response.once('finish', () => request.complete || this.end());
    response.once('close', () => this.answered());
  }

  onRoom(): void {
    this.stream.goOn();
  }

  /** Closes it once what it asked is answered. */
  letGo(): void {
    this.stopping = true;
    if (this.unanswered === 0) this.end();
  }

  /** Sends what is written, then closes. */
  end(): void {
    if (!this.stream.writableEnded) this.stream.end();
  }

  /** Enforces the time limits; called a few times a second with `performance.now()`. Returns what must be told of one that is late. */
  checkTime(now: number): 'late' | null {
    const { limits } = this;
    const unsent = this.stream.writableLength;
    if (unsent !== this.unsent || unsent === 0) this.movedAt = now;
    this.unsent = unsent;
    this.count();
    if (unsent > 0 && now - this.movedAt > limits.outputTimeoutMs) {
      this.hits.outputTimeoutMs++;
      this.log.warn('HTTP client does not read its answers: closed', { peer: this.peer.name, unsent });
      this.stream.destroy();
    } else if (this.stream.writableEnded) {
      if (this.endedAt > 0 && now - this.endedAt > LINGER_MS) this.stream.destroy();
    } else if (this.isIdle) {
      // Of one that has never said anything the place is wanted back sooner.
      const limit = this.newest ? 'httpIdleTimeoutMs' : 'handshakeTimeoutMs';
      if (now - this.since > limits[limit]) return this.late(limit);
    } else if (this.unanswered === 0) {
      if (now - this.since > limits.handshakeTimeoutMs) return this.late('handshakeTimeoutMs');
    } else if (!this.newest!.complete && now - this.since > limits.messageTimeoutMs)
      return this.late('messageTimeoutMs');
    return null;
  }

  private late(limit: keyof Limits): 'late' {
    this.hits[limit]++;
    return 'late';
  }

  private get mayPass(): boolean {
    if (this.unanswered > 0 && this.newest!.complete) return false;
    return this.loan!.mayRead;
  }

  private passed(bytes: number): void {
    if (this.read === 0) this.since = performance.now();
    this.read += bytes;
    this.count();
  }

  private answered(): void {
    this.unanswered--;
    if (this.unanswered > 0) return;
    this.loan!.fetched();
    this.read = 0;
    this.since = performance.now();
    this.count();
    if (this.stopping) this.end();
    else this.stream.goOn();
  }

  private count(): void {
    const { stream, read } = this;
    const unsent = stream.writableLength;
    const partial = this.newest?.complete ? 0 : read;
    this.loan!.hold(stream.waitingBytes + read + unsent, partial, unsent);
  }

  /** The client may have sent something else, and would lose the last answer if it were reset at once. */
  private sentAll(): void {
    this.endedAt = performance.now();
    if (this.stopping) this.stream.destroy();
  }

  giveUp(): void {
    const bytes = this.stream.waitingBytes + this.read;
    this.log.warn('client holds up others: what it holds is given up', { peer: this.peer.name, bytes });
    this.stream.destroy();
  }
}
